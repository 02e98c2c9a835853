"""Any pictures as one array: a folder or zip of image files, or an array file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from wae.data.errors import DataError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
GREY = ("1", "L", "LA")  # Pillow's modes without colour
DEEP = ("I", "I;16", "I;16B", "F")  # Pillow would cut their values at 255


def read_pictures(path: Path, most: int | None = None) -> np.ndarray:
    """The pictures of `path` as uint8 (n, 1 or 3, h, w), the first `most` in the order of their names.

    A folder is read with all its folders; nothing of a zip is unpacked to disk. Arrays are .npy, or .npz with one array
    of (n, h, w), (n, c, h, w) or (n, h, w, c): uint8, or floats in [0, 1], which are rounded half to even.

    Raises:
        DataError: nothing there, a file that is no picture, pictures of several sizes, or no array of images.
    """
    if path.suffix in (".npy", ".npz") and path.is_file():
        return _as_images(_array(path), path)[:most]
    if path.is_dir():
        pictures = _of_folder(path, most)
    elif zipfile.is_zipfile(path):
        pictures = _of_zip(path, most)
    else:
        found = "is neither" if path.exists() else "does not exist; it should be"
        raise DataError(f"{path} {found} a folder or zip of pictures, a .npy or a .npz")
    return _stacked(path, pictures)


def _of_folder(path: Path, most: int | None) -> Iterator[tuple[str, bytes]]:
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    yield from ((str(file.relative_to(path)), file.read_bytes()) for file in files[:most])


def _of_zip(path: Path, most: int | None) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(SUFFIXES))
        yield from ((name, archive.read(name)) for name in names[:most])


def _stacked(path: Path, pictures: Iterator[tuple[str, bytes]]) -> np.ndarray:
    arrays: list[np.ndarray] = []
    first = ""
    for name, content in pictures:
        array = _decoded(f"{path}/{name}", content)
        first = first or name
        if arrays and array.shape[1:] != arrays[0].shape[1:]:
            sizes = [f"{shape[2]}x{shape[1]} ({of})" for shape, of in ((arrays[0].shape, first), (array.shape, name))]
            raise DataError(f"{path} has pictures of {sizes[0]} and of {sizes[1]}; a set has one size")
        arrays.append(array)
    if not arrays:
        raise DataError(f"{path} holds no picture; looked for {', '.join(SUFFIXES)}")
    channels = max(len(array) for array in arrays)
    return np.stack([np.broadcast_to(array, (channels, *array.shape[1:])) for array in arrays])


def _decoded(name: str, content: bytes) -> np.ndarray:
    """A picture as uint8 (1 or 3, h, w)."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.mode in DEEP:
                raise DataError(f"{name} has more than 8 bits a channel (mode {image.mode}); pictures here have 8")
            pixels = np.asarray(image.convert("L" if image.mode in GREY else "RGB"))
    except DataError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{name} is no picture that can be read: {error}") from error
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _array(path: Path) -> np.ndarray:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            if len(loaded.files) != 1:
                raise DataError(f"{path} holds {', '.join(loaded.files) or 'nothing'}; it should hold one array")
            array: np.ndarray = loaded[loaded.files[0]]
            return array
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as an array: {error}") from error
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} holds no plain array of numbers") from error


def _as_images(array: np.ndarray, path: Path) -> np.ndarray:
    shape = array.shape
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and shape[1] not in (1, 3) and shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or array.shape[1] not in (1, 3) or not array.size:
        raise DataError(f"{path} has shape {shape}; images are (n, h, w), (n, c, h, w) or (n, h, w, c), c 1 or 3")
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating) or not (np.min(array) >= 0.0 and np.max(array) <= 1.0):
        raise DataError(f"{path} holds {array.dtype} from {array.min()} to {array.max()}; images are uint8 or in [0, 1]")
    return np.rint(array.astype(np.float64) * 255.0).astype(np.uint8)
