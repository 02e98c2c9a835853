"""Kernel inception distance (Binkowski et al. 2018): the full U-statistic, without the noise of random subsets."""

from __future__ import annotations

import numpy as np

from wae.metrics.checks import Features, Matrix, pair

ROWS = 1024  # rows of the kernel matrix held at once: memory stays at ROWS * m numbers


def kid(x: Features, y: Features) -> float:
    """Unbiased MMD^2 of features (n, d), (m, d) under k(a, b) = (a.b / d + 1)^3 (eq. 3 and 4). It can be negative."""
    x, y = pair(x, y)
    return _within(x) + _within(y) - 2.0 * _kernel_sum(x, y) / (len(x) * len(y))


def _within(x: Matrix) -> float:
    """Mean of the kernel over pairs i != j."""
    n, d = x.shape
    diagonal = float(((np.square(x).sum(axis=1) / d + 1.0) ** 3).sum())
    return (_kernel_sum(x, x) - diagonal) / float(n * (n - 1))


def _kernel_sum(x: Matrix, y: Matrix) -> float:
    """Sum of the kernel over all pairs."""
    total = 0.0
    for start in range(0, len(x), ROWS):
        t = x[start : start + ROWS] @ y.T / x.shape[1] + 1.0
        total += float((t * t * t).sum())
    return total
