"""The Frechet distance at infinitely many samples, extrapolated in 1/n (Chong and Forsyth 2020)."""

from __future__ import annotations

import numpy as np
import torch

from wae.metrics.checks import Features, Matrix, TooFewError, pair
from wae.metrics.distances.frechet import frechet_distance

PARTS = 4  # at most: the smallest subsets have a quarter of the samples


def frechet_infinity(x: Features, y: Features, generator: torch.Generator) -> float:
    """Intercept of the line through (1/s, mean distance of subsets of s samples): nearly unbiased, so it can be < 0.

    The paper's code draws 15 subsets of the generated samples only; here two things differ. Both samples are cut, since
    the reference is no larger and its own bias also falls as 1/n. The sizes are s = n, n/2, n/3, n/4, each as disjoint
    parts of one shuffle: every sample counts at every size, so the value is hardly noisier than the plain distance.
    Samples of different size are cut into as many parts, and the line is through the mean of their two 1/s.

    Args:
        x: features (n, d).
        y: features (m, d).
        generator: draws the shuffle.

    Raises:
        TooFewError: n < 2 d for the smaller n. Subsets below d have singular covariances, and a line needs two larger.
    """
    x, y = pair(x, y)
    n, d = min(len(x), len(y)), x.shape[1]
    parts = np.arange(1, min(PARTS, n // d) + 1)
    if len(parts) < 2:
        raise TooFewError(f"{n} samples of {d} features; extrapolating a Frechet distance takes at least {2 * d}")
    x, y = _shuffled(x, generator), _shuffled(y, generator)
    means = [_mean_over_parts(x, y, int(part)) for part in parts]
    inverse = (1.0 / (len(x) // parts) + 1.0 / (len(y) // parts)) / 2.0
    return float(np.polynomial.polynomial.polyfit(inverse, means, 1)[0])


def _shuffled(x: Matrix, generator: torch.Generator) -> Matrix:
    order = torch.randperm(len(x), generator=generator, device=generator.device).cpu().numpy()
    shuffled: Matrix = x[order]
    return shuffled


def _mean_over_parts(x: Matrix, y: Matrix, parts: int) -> float:
    return float(np.mean([frechet_distance(*pair) for pair in zip(_cut(x, parts), _cut(y, parts), strict=True)]))


def _cut(x: Matrix, parts: int) -> list[Matrix]:
    """Disjoint parts of one size; what is left over is in none."""
    size = len(x) // parts
    return [x[part * size : (part + 1) * size] for part in range(parts)]
