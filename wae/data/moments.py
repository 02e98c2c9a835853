"""Mean and covariance of features, as other programs save them for a Frechet distance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wae.data.arrays import load, names_in
from wae.data.errors import DataError, reading

MOMENTS = ("mu", "sigma")


def read_moments(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Mean (d,) and covariance (d, d) of a .npz that holds `mu` and `sigma` and no images; None of any other file."""
    with reading(path):
        archive = path.suffix == ".npz" and path.is_file()
    names = names_in(path) if archive else []
    if not set(MOMENTS) <= set(names):
        return None
    arrays = {name: load(path, name, objects=True) for name in names}
    if any(array is not None and array.ndim > 2 for array in arrays.values()):
        return None
    mean, covariance = (arrays[name] for name in MOMENTS)
    if mean is None or covariance is None or mean.dtype.kind != "f" or covariance.dtype.kind != "f":
        raise DataError(f"{path} holds mu and sigma that are not both of floats")
    return mean.astype(np.float64), covariance.astype(np.float64)
