"""ACAI's synthetic lines: a ray from the middle of a picture. Pictures differ only in the ray's angle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wae.runtime import seed_for

REACH = 0.9  # length of a ray, in half sides of the picture
WIDTH = 2.0  # pixels


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> None:
    """Draw `train` and `test` rays over the whole circle; no angle is used twice."""
    sizes = {split: entry[split] for split in ("train", "test")}
    chosen = angles(sum(sizes.values()), np.random.default_rng(seed_for("lines", entry["seed"])))
    for split, part in zip(sizes, np.split(chosen, [sizes["train"]]), strict=True):
        np.save(folder / f"{split}.npy", quantised(rays(part, entry["shape"][-1])))


def angles(n: int, generator: np.random.Generator) -> np.ndarray:
    """`n` different angles in [0, 2 pi), in random order: one in each of `n` equal sectors."""
    sectors = generator.permutation(n)
    within: np.ndarray = 0.25 + 0.5 * generator.random(n)
    drawn: np.ndarray = 2 * np.pi * (sectors + within) / n
    return drawn


def rays(angle: np.ndarray, side: int) -> np.ndarray:
    """Antialiased white rays on black, (n, 1, side, side) in [0, 1]; 0 points right, angles grow clockwise.

    A pixel's brightness is the part of it within half a width of the ray, measured along the shortest way to the ray.
    """
    centre = np.arange(side) + 0.5 - side / 2
    y, x = np.meshgrid(centre, centre, indexing="ij")
    along, across = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    reached = np.clip(x * along + y * across, 0, REACH * side / 2)
    distance = np.hypot(x - reached * along, y - reached * across)
    brightness: np.ndarray = np.clip((WIDTH + 1) / 2 - distance, 0, 1)
    return brightness[:, None]


def quantised(images: np.ndarray) -> np.ndarray:
    """Images in [0, 1] as uint8."""
    grey: np.ndarray = np.rint(255 * images).astype(np.uint8)
    return grey
