"""Images and moments of array files: .npy, and .npz with labels or other arrays beside the images."""

from __future__ import annotations

from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from wae.data.errors import DataError
from wae.data.members import DAMAGE

MOMENTS = ("mu", "sigma")
SHAPES = "images are (n, h, w), (n, c, h, w) or (n, h, w, c), c 1 or 3"


def is_array(path: Path) -> bool:
    """Whether `path` is a file that is read as an array."""
    return path.suffix.lower() in (".npy", ".npz") and path.is_file()


def read_images(path: Path) -> np.ndarray:
    """The images of a .npy or .npz as uint8 (n, 1 or 3, h, w). A .npy of uint8 is memory-mapped.

    Of a .npz the one array with three or four axes is taken; labels, and mu and sigma, may stand beside it. Numbers are
    whole, from 0 to 255; or floats in [0, 1], which are rounded half to even; or bool, False black and True white.
    """
    arrays = _arrays(path)
    images = [name for name, array in arrays.items() if array.ndim in (3, 4)]
    if len(images) > 1:
        one = f"save the one that you mean by itself, as np.save('images.npy', np.load('{path.name}')['{images[0]}'])"
        raise DataError(f"{path} holds several arrays of images, {', '.join(images)}; {one}")
    if not images:
        found = ", ".join(f"{name} {array.shape}".strip() for name, array in arrays.items()) or "nothing"
        raise DataError(f"{path} holds {found}; {SHAPES}")
    return _bytes(_channels_second(arrays[images[0]], path), path)


def read_moments(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Mean (d,) and covariance (d, d) of a .npz that holds `mu` and `sigma` and no images; None of any other file."""
    if not is_array(path) or path.suffix.lower() != ".npz":
        return None
    arrays = _arrays(path, MOMENTS)
    if any(array.ndim > 2 for array in arrays.values()) or not arrays:
        return None
    mean, covariance = (arrays[name] for name in MOMENTS)
    if not all(np.issubdtype(array.dtype, np.floating) for array in (mean, covariance)):
        raise DataError(f"{path} holds mu of {mean.dtype} and sigma of {covariance.dtype}; expected floats")
    return mean.astype(np.float64), covariance.astype(np.float64)


def _arrays(path: Path, needed: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """The arrays of a .npz by name, or that of a .npy, whose name is empty; none where a `needed` one is missing."""
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"": np.asarray(loaded)}
        with loaded:
            if not set(needed) <= set(loaded.files):
                return {}
            return {name: array for name in loaded.files if (array := _plain(loaded, name)) is not None}
    except (*DAMAGE, MemoryError) as error:
        raise DataError(f"{path} cannot be read as an array: {error}") from error
    except (ValueError, OverflowError, TokenError) as error:  # a wrong header, or less data than it announces
        raise DataError(f"{path} holds no plain array of numbers ({error})") from error


def _plain(loaded: NpzFile, name: str) -> np.ndarray | None:
    """One array; None where it holds Python objects, such as class names, which are never loaded."""
    try:
        array: np.ndarray = loaded[name]
    except ValueError as error:
        if "allow_pickle" in str(error):
            return None
        raise
    return array


def _channels_second(array: np.ndarray, path: Path) -> np.ndarray:
    shape = array.shape
    if array.ndim == 3:
        _several(shape, path)
        array = array[:, None]
    elif shape[1] not in (1, 3) and shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.shape[1] not in (1, 3) or not array.size:
        raise DataError(f"{path} has shape {shape}; {SHAPES}")
    return array


def _several(shape: tuple[int, ...], path: Path) -> None:
    """Raise DataError for three axes that are those of one picture, which would be taken for many grey ones."""
    if shape[2] in (1, 3, 4) and shape[1] > shape[2]:
        one, many = f"(1, {shape[0]}, {shape[1]}, {shape[2]})", f"({shape[0]}, 1, {shape[1]}, {shape[2]})"
    elif shape[0] == 3 and min(shape[1:]) > 4:
        one, many = f"(1, {', '.join(map(str, shape))})", f"(3, 1, {shape[1]}, {shape[2]})"
    else:
        return
    said = f"one picture in colour, then save it as {one}, or {shape[0]} grey ones, then as {many}"
    raise DataError(f"{path} has shape {shape}, which may be {said}")


def _bytes(array: np.ndarray, path: Path) -> np.ndarray:
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "uif":
        raise DataError(f"{path} holds {array.dtype}; images are whole numbers, floats in [0, 1], or bool")
    if array.dtype == np.uint8 and _bright(array):
        return array
    least, most = array.min(), array.max()
    if array.dtype.kind in "ui" and least >= 0 and most == 1:
        how = "save them as floats, as array.astype('float32'), or times 255"
        raise DataError(f"{path} holds {array.dtype} of 0 and 1 only, almost black as bytes; if 1 is white, {how}")
    if array.dtype == np.uint8:
        return array
    if not (least >= 0 and most <= (1 if array.dtype.kind == "f" else 255)):
        allowed = "images are whole numbers from 0 to 255, or floats in [0, 1]"
        raise DataError(f"{path} holds {array.dtype} from {least} to {most}; {allowed}")
    if array.dtype.kind != "f":
        return array.astype(np.uint8)
    images = np.empty_like(array, dtype=np.uint8)
    for into, image in zip(images, array, strict=True):
        into[:] = np.rint(image.astype(np.float64) * 255.0)
    return images


def _bright(array: np.ndarray) -> bool:
    """Whether a byte is above 1; of a mapped file, only what comes before it is read."""
    return any(int(image.max()) > 1 for image in array)
