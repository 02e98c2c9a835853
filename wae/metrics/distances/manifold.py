"""Precision, recall, density and coverage: a sample's support as balls of k-th nearest neighbours.

A ball's radius is the distance to the k-th nearest OTHER sample of the same set (the sample itself does not count).
As each metric's authors define them, balls contain their boundary (<=) for precision and recall (Kynkäänniemi et al.
2019) but not (<) for density and coverage (Naeem et al. 2020). This matters only for ties, such as repeated samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wae.metrics.checks import Features, Matrix, TooFewError, pair
from wae.metrics.distances.neighbours import nearest, pairs, resolve


class Support(NamedTuple):
    """How two samples' supports overlap."""

    precision: float
    recall: float
    density: float
    coverage: float


def support(real: Features, fake: Features, k: int) -> Support:
    """All four measures, in one pass over the pairs.

    Precision is the share of fake samples in the real support, recall the share of real samples in the fake support
    (Kynkäänniemi et al. 2019, eq. 2). Density is the mean number of real balls around a fake sample, divided by k.
    Coverage is the share of real balls with a fake sample inside (Naeem et al. 2020, eq. 3 and 4). Density has no upper
    bound; its expectation is 1 where the distributions agree.
    """
    x, y = pair(real, fake)
    around_real, around_fake = radii(x, k), radii(y, k)
    supported, recalled, inside, covered = np.zeros(len(y), dtype=bool), 0, 0, 0
    for block in pairs(x, y):
        radius = around_real[block.rows, None]
        distances = resolve(block, radius, around_fake)
        supported |= (distances <= radius).any(axis=0)
        recalled += int((distances <= around_fake).any(axis=1).sum())
        hits = distances < radius
        inside += int(hits.sum())
        covered += int(hits.any(axis=1).sum())
    return Support(float(supported.mean()), recalled / len(x), inside / (k * len(y)), covered / len(x))


def precision_recall(real: Features, fake: Features, k: int) -> tuple[float, float]:
    """Precision and recall of `support`."""
    return support(real, fake, k)[:2]


def density_coverage(real: Features, fake: Features, k: int) -> tuple[float, float]:
    """Density and coverage of `support`."""
    return support(real, fake, k)[2:]


def radii(x: Matrix, k: int) -> Matrix:
    """Squared distance (n,) of each sample to its k-th nearest other one."""
    if not 1 <= k < len(x):
        raise TooFewError(f"k is {k}; with {len(x)} samples it is between 1 and {len(x) - 1}")
    farthest: Matrix = nearest(x, x, k, others=True)[1].max(axis=1)
    return farthest
