"""Precision, recall, density and coverage: a sample's support as balls of k-th nearest neighbours.

A ball's radius is the distance to the k-th nearest OTHER sample of the same set (the sample itself does not count).
Whether a ball has its boundary follows each metric's authors: yes (<=) for precision and recall (Kynkäänniemi et al.
2019), no (<) for density and coverage (Naeem et al. 2020). It matters only for ties, such as repeated samples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist

from wae.metrics.checks import Features, Matrix, pair

ROWS = 512  # of the distance matrix held at once


def precision_recall(real: Features, fake: Features, k: int) -> tuple[float, float]:
    """Share of fake samples in the real support, and of real ones in the fake (Kynkäänniemi et al. 2019, eq. 2)."""
    x, y = pair(real, fake)
    return _share_inside(y, x, k), _share_inside(x, y, k)


def density_coverage(real: Features, fake: Features, k: int) -> tuple[float, float]:
    """Real balls around a fake sample, on average and over k; share of real balls with a fake sample inside.

    Naeem et al. 2020, eq. 3 and 4. Density has no upper bound: it is 1 in expectation where the distributions agree.
    """
    x, y = pair(real, fake)
    radii = _radii(x, k)
    inside, covered = 0, 0
    for rows, distances in _distances(x, y):
        hits = distances < radii[rows, None]
        inside += int(hits.sum())
        covered += int(hits.any(axis=1).sum())
    return inside / (k * len(y)), covered / len(x)


def _share_inside(queries: Matrix, centres: Matrix, k: int) -> float:
    """Share of `queries` within a closed ball of `centres`."""
    radii = _radii(centres, k)
    inside = sum(int((distances <= radii).any(axis=1).sum()) for _, distances in _distances(queries, centres))
    return inside / len(queries)


def _radii(x: Matrix, k: int) -> Matrix:
    """Squared distance (n,) of each sample to its k-th nearest other one."""
    if not 1 <= k < len(x):
        raise ValueError(f"k is {k}; with {len(x)} samples it is between 1 and {len(x) - 1}")
    radii = np.empty(len(x))
    for rows, distances in _distances(x, x):
        distances[np.arange(len(distances)), np.arange(len(x))[rows]] = np.inf
        radii[rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return radii


def _distances(x: Matrix, y: Matrix) -> Iterator[tuple[slice, Matrix]]:
    """Squared distances of all pairs, a block of rows at a time.

    From differences, not from x.x - 2 x.y + y.y: a repeated sample must be at distance 0 exactly, or ties are noise.
    """
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        yield rows, cdist(x[rows], y, "sqeuclidean")
