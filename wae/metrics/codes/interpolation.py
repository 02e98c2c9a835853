"""The quality of interpolations where the truth is known: ACAI's measures on rays (Berthelot et al. 2018, sec. 4)."""

from __future__ import annotations

import numpy as np

from wae.data.lines import rays

REFERENCES = 10_000  # angles, as in the authors' code
STILL = 1e-4  # radians: pairs with ends nearer than this have no smoothness


def interpolation_quality(images: np.ndarray) -> tuple[float, float | None]:
    """Mean distance and smoothness of interpolations between rays; both are 0 at best.

    The distance of an interpolant is 1 - cosine, with pixels in [-1, 1], to the nearest of 10,000 real rays. The
    smoothness is the largest step in the nearest rays' angle, as a share of the way from end to end, minus the share of
    an even step, 1 / (N - 1). A single jump has 1 - 1 / (N - 1). It is None if no pair has different ends.

    Args:
        images: (pairs, N, 1, side, side) in [0, 1], ends included.
    """
    pairs, n, side = len(images), images.shape[1], images.shape[-1]
    angle = 2 * np.pi * np.arange(REFERENCES) / REFERENCES
    similarity = _unit(images.reshape(pairs * n, -1)) @ _unit(rays(angle, side).reshape(REFERENCES, -1)).T
    theta = np.unwrap(angle[similarity.argmax(1)].reshape(pairs, n))
    way, steps = np.abs(theta[:, -1] - theta[:, 0]), np.abs(np.diff(theta))
    moving = way > STILL
    smoothness = float((steps[moving].max(1) / way[moving]).mean() - 1 / (n - 1)) if moving.any() else None
    return float(1 - similarity.max(1).mean()), smoothness


def _unit(flat: np.ndarray) -> np.ndarray:
    signed = 2 * flat.astype(np.float64) - 1
    unit: np.ndarray = signed / np.linalg.norm(signed, axis=1, keepdims=True)
    return unit
