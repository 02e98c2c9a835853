"""What is measured of a model with codes: reconstructions, interpolations, and how near the codes are to the prior."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from wae.metrics.images import quantise
from wae.metrics.interpolation import interpolation_quality
from wae.metrics.latent import CODES, FLOORS, Prior, against_prior
from wae.metrics.measures import Measure, first, held_out, protocol, unit


@runtime_checkable
class Encoding(Protocol):
    """What can also be asked for reconstructions and interpolations."""

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, d) of images in [0, 1]."""

    def decode(self, z: Tensor) -> Tensor:
        """Images in [0, 1] of codes (n, d)."""


@runtime_checkable
class Matched(Protocol):
    """What can also be asked how near its codes are to the prior."""

    prior: Prior

    def draw_codes(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Codes (n, d) of images in [0, 1], drawn from their posteriors."""


def code_measures(
    model: Encoding,
    images: np.ndarray,
    settings: Mapping[str, Any],
    device: torch.device | str,
    generator: torch.Generator,
) -> tuple[dict[str, Measure], dict[str, np.ndarray]]:
    """All measures of a model's codes on held-out uint8 images, and the images to draw; `settings` as in `evaluate`."""
    reference, batch = images[: settings["samples"]], settings["batch"]
    measures = {"reconstruction_mse": reconstruction_mse(model, reference, batch, device)}
    if isinstance(model, Matched):
        measures |= latent_measures(model, reference, batch, device, generator)
    if settings.get("interpolation"):
        measures |= interpolation_measures(model, images, settings["interpolation"], device)
    return measures, pictures(model, images, settings, device)


def reconstruction_mse(model: Encoding, images: np.ndarray, batch: int, device: torch.device | str) -> Measure:
    """Mean squared error over all elements of `images` uint8, in [0, 1], of reconstructions that are not rounded."""
    total = 0.0
    for start in range(0, len(images), batch):
        x = unit(images[start : start + batch], device)
        total += float((model.decode(model.encode(x)).double() - x.double()).square().sum())
    how = protocol(f"mean over all elements in [0, 1]; first {len(images)} held-out; not rounded")
    return Measure(total / images.size, len(images), held_out(images), protocol=how)


def latent_measures(
    model: Matched, images: np.ndarray, batch: int, device: torch.device | str, generator: torch.Generator
) -> dict[str, Measure]:
    """Distances of held-out images' codes from the prior, each with its floor."""
    images = images[:CODES]
    codes = [
        model.draw_codes(unit(images[start : start + batch], device), generator)
        for start in range(0, len(images), batch)
    ]
    how = protocol(
        f"a draw of each posterior against as many of the prior; floor: mean of {FLOORS} prior pairs; float64"
    )
    values = against_prior(torch.cat(codes), model.prior, generator)
    return {name: Measure(value, len(images), held_out(images), protocol=how) for name, value in values.items()}


def interpolation_measures(
    model: Encoding, images: np.ndarray, settings: Mapping[str, int], device: torch.device | str
) -> dict[str, Measure]:
    """ACAI's two numbers of the first `pairs` of held-out rays, image 2i to image 2i + 1, linearly in code space."""
    pairs = first(images, 2 * settings["pairs"], "twice evaluation.interpolation.pairs")
    rows = torch.stack(list(between(model, pairs, settings["steps"], device)))
    distance, smoothness = interpolation_quality(rows.cpu().numpy())
    how = protocol(f"{settings['pairs']} held-out pairs in {settings['steps']} steps; 10000 real rays; not rounded")
    measures = {"interpolation_distance": distance, "interpolation_smoothness": smoothness}
    return {name: Measure(value, settings["pairs"], held_out(pairs), protocol=how) for name, value in measures.items()}


def between(model: Encoding, pairs: np.ndarray, steps: int, device: torch.device | str) -> Iterator[Tensor]:
    """Decoded images (steps, c, h, w) from each image 2i to image 2i + 1, ends included, linearly in code space."""
    codes = model.encode(unit(pairs, device))
    t = torch.linspace(0.0, 1.0, steps, device=codes.device)[:, None]
    yield from (model.decode(row) for row in (1.0 - t) * codes[0::2, None] + t * codes[1::2, None])


def pictures(
    model: Encoding, images: np.ndarray, settings: Mapping[str, Any], device: torch.device | str
) -> dict[str, np.ndarray]:
    """`originals`, `reconstructions` (k, c, h, w) and `interpolations` (rows, steps, c, h, w) of held-out images.

    A row goes from image 2i to image 2i + 1, both ends reconstructed, linearly in code space.
    """
    wanted = settings["pictures"]
    originals = first(images, wanted["reconstructions"], "evaluation.pictures.reconstructions")
    pairs = first(images, 2 * wanted["rows"], "twice evaluation.pictures.rows")
    decoded = [quantise(row).cpu().numpy() for row in between(model, pairs, wanted["steps"], device)]
    reconstructions = quantise(model.decode(model.encode(unit(originals, device)))).cpu().numpy()
    return {"originals": originals, "reconstructions": reconstructions, "interpolations": np.stack(decoded)}
