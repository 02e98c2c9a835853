"""Squared distances of all pairs and nearest neighbours, a block of rows at a time, exact where it matters.

Matrix products give all distances fast, but with a rounding error: a repeated sample would be near 0, not at 0, and
ties would be random. So each distance that affects a result is computed again from the difference of its two samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wae.metrics.checks import Matrix

ROWS = 512  # of the distance matrix held at once
DIFFERENCES = 1 << 22  # numbers in differences held at once: 32 MiB
ROUNDING = 1e-12  # error of such a distance, as a share of |x|^2 + |y|^2: n eps for a sum of n = 4500 numbers


@dataclass(frozen=True)
class Block:
    """Distances (rows, m) from some rows of x to all of y, and a bound on each one's error."""

    rows: slice
    x: Matrix
    y: Matrix
    distances: Matrix
    error: Matrix


def pairs(x: Matrix, y: Matrix) -> Iterator[Block]:
    """Squared distances of x (n, d) to y (m, d) by |x|^2 - 2 x.y + |y|^2, around the mean of y."""
    centre = y.mean(axis=0)
    shifted = y - centre
    length = np.square(shifted).sum(axis=1)
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        left = x[rows] - centre
        sizes = np.square(left).sum(axis=1)[:, None] + length
        yield Block(rows, x[rows], y, sizes - 2.0 * (left @ shifted.T), ROUNDING * sizes)


def resolve(block: Block, *thresholds: Matrix) -> Matrix:
    """The block's distances, exact wherever rounding could put one on the wrong side of a threshold."""
    doubtful = np.zeros(block.distances.shape, dtype=bool)
    for threshold in thresholds:
        doubtful |= np.abs(block.distances - threshold) <= block.error
    i, j = np.nonzero(doubtful)
    block.distances[i, j] = exact(block.x, block.y, i, j)
    return block.distances


def nearest(x: Matrix, y: Matrix, k: int, *, others: bool = False) -> tuple[NDArray[np.intp], Matrix]:
    """Indices (n, k) of the nearest k of y to each of x, in no order, and their exact squared distances.

    Args:
        others: whether x is y, so that a sample is not its own neighbour.
    """
    indices, distances = np.empty((len(x), k), dtype=np.intp), np.empty((len(x), k))
    for block in pairs(x, y):
        found, here = block.distances, np.arange(len(block.x))
        if others:
            found[here, here + block.rows.start] = np.inf
        indices[block.rows] = np.argpartition(found, k - 1, axis=1)[:, :k]
        every = np.repeat(here, k)
        distances[block.rows] = exact(block.x, y, every, indices[block.rows].ravel()).reshape(-1, k)
    return indices, distances


def exact(x: Matrix, y: Matrix, i: NDArray[np.intp], j: NDArray[np.intp]) -> Matrix:
    """Squared distances of x[i] to y[j] from their differences: exactly 0 for a repeated sample, and symmetric."""
    values = np.empty(len(i))
    step = max(1, DIFFERENCES // x.shape[1])
    for start in range(0, len(i), step):
        some = slice(start, start + step)
        values[some] = np.square(x[i[some]] - y[j[some]]).sum(axis=1)
    return values
