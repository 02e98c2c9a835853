"""A check that a distance rises with damage: training images, damaged by known amounts, against the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from wae.metrics.distances.frechet import Gaussian, frechet_distance
from wae.metrics.features.extractors import Extractor
from wae.metrics.images import quantise

Corrupt = Callable[[np.ndarray, np.ndarray, float, np.random.Generator], np.ndarray]


def blurred(images: np.ndarray, labels: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Images after a Gaussian filter with a standard deviation of `level` times their height."""
    sigma = level * images.shape[2]
    smooth = gaussian_filter(images.astype(np.float32) / np.float32(255), (0, 0, sigma, sigma), mode="nearest")
    return quantise(torch.from_numpy(smooth.clip(0.0, 1.0))).numpy()


def noisy(images: np.ndarray, labels: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Images with Gaussian noise of standard deviation `level` on every pixel in [0, 1], clipped to that range."""
    noise = np.float32(level) * rng.standard_normal(images.shape, dtype=np.float32)
    return quantise(torch.from_numpy((images / np.float32(255) + noise).clip(0.0, 1.0))).numpy()


def without_classes(images: np.ndarray, labels: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """As many images, without the last share `level` of the classes (first label column): others replace them."""
    classes = np.unique(labels[:, 0])
    kept = np.isin(labels[:, 0], classes[: len(classes) - round(level * len(classes))])
    rows = np.arange(len(images))
    rows[~kept] = rng.choice(rows[kept], int((~kept).sum()))
    return images[rows]


def collapsed(images: np.ndarray, labels: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Images with the share `level` of them replaced by the first image."""
    rows = np.arange(len(images))
    rows[1 : 1 + round(level * (len(images) - 1))] = 0
    return images[rows]


CORRUPTIONS: dict[str, tuple[Corrupt, tuple[float, ...]]] = {
    "blur (σ / height)": (blurred, (0.0, 0.02, 0.04, 0.08, 0.16)),
    # The distance does not see weaker noise: on digits, σ of 0.05 and 0.1 lower it, by less than 0.01.
    "noise (σ)": (noisy, (0.0, 0.2, 0.4, 0.6, 0.8)),
    "missing classes (share)": (without_classes, (0.0, 0.2, 0.4, 0.6, 0.8)),
    "mode collapse (share)": (collapsed, (0.0, 0.1, 0.2, 0.4, 0.8)),
}
"""Name and unit -> the damage, and its levels, from none to much: the same for every data set."""


def corruption_curves(
    images: np.ndarray, labels: np.ndarray, reference: np.ndarray, extractor: Extractor, seed: int
) -> Iterator[tuple[str, float, float]]:
    """Corruption, level, Frechet distance between features of the corrupted images and of the reference.

    Args:
        images: uint8 (n, c, h, w), in random order.
        labels: (n, columns).
        reference: uint8 (m, c, h, w).
        seed: seed of all random numbers, the same for every level: noise is scaled, not drawn anew.
    """
    real = Gaussian.of(extractor(reference))
    for name, (corrupt, levels) in CORRUPTIONS.items():
        for level in levels:
            damaged = corrupt(images, labels, level, np.random.default_rng(seed))
            yield name, level, frechet_distance(extractor(damaged), real)
