"""Feature matrices in the form that the metrics need, checked once, at the entry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Features = np.ndarray | Tensor
Matrix = NDArray[np.float64]


class TooFewError(ValueError):
    """Too few samples: the metric is undefined or meaningless. It then has no value, which is not a failure."""


def matrix(features: Features, name: str = "features") -> Matrix:
    """`features` (n, d) as float64 on the CPU.

    Raises:
        ValueError: not a matrix, fewer than two rows (no covariance), no column, or a value that is not finite.
    """
    array = features.detach().double().cpu().numpy() if isinstance(features, Tensor) else np.asarray(features)
    if array.ndim != 2:
        raise ValueError(f"{name} have shape {tuple(array.shape)}; a metric takes (n, d), one sample a row")
    if array.shape[0] < 2 or array.shape[1] < 1:
        raise ValueError(f"{name} have shape {array.shape}; a metric takes at least two samples of one feature")
    array = array.astype(np.float64)
    if not (finite := np.isfinite(array)).all():
        count = int((~finite).sum())
        raise ValueError(f"{name} have {count} of {array.size} values that are not finite; no metric is defined there")
    return array


def pair(x: Features, y: Features) -> tuple[Matrix, Matrix]:
    """Two feature matrices of the same width."""
    first, second = matrix(x, "the first features"), matrix(y, "the second features")
    same_width(first.shape[1], second.shape[1])
    return first, second


def same_width(first: int, second: int) -> None:
    """Raise a ValueError for features of different widths, which cannot come from one extractor."""
    if first != second:
        raise ValueError(f"features of {first} and of {second} dimensions; both must come from one extractor")
