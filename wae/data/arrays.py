"""Array files: .npy, .npz, and folders of .npy. Which array holds what is known by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from tokenize import TokenError
from typing import overload

import numpy as np

from wae.data.containers import is_picture
from wae.data.errors import DataError, reading
from wae.data.members import DAMAGE

LABELS = ("y", "label", "labels", "target", "targets", "class", "classes")
SPLITS = {"train": ("train", "training"), "test": ("test", "testing"), "valid": ("val", "valid", "validation")}
IMAGES = ("x", "arr", "image", "images", "img", "imgs", "data", "samples", "pictures")
SUFFIXES = (".npy", ".npz")
SHAPES = "images are (n, h, w), (n, c, h, w) or (n, h, w, c), c 1 or 3"

Part = tuple[str, str]  # train, test, valid or an empty text; images or labels


def images_of(path: Path) -> np.ndarray:
    """The images of a .npy, or of an .npz with one array of them, as uint8 (n, 1 or 3, h, w).

    A .npy of uint8 is memory-mapped. Of an .npz the one array with three or four axes is taken; labels, and mu and
    sigma, may stand beside it.
    """
    names, images, others = names_in(path), dict[str, np.ndarray](), list[str]()
    for name in names:
        array = load(path, name, objects=len(names) > 1)
        if array is not None and array.ndim in (3, 4):
            images[name] = array
        else:
            others.append(f"{name} {'of Python objects' if array is None else array.shape}")
    if len(images) > 1:
        chosen = f"np.load('{path.name}')['{next(iter(images))}']"
        one = f"save the one that you mean by itself, as np.save('images.npy', {chosen})"
        raise DataError(f"{path} holds several arrays of images, {', '.join(images)}; {one}")
    if not images:
        raise DataError(f"{path} holds {', '.join(others) or 'nothing'}; {SHAPES}")
    return as_images(next(iter(images.values())), path)


def is_arrays(path: Path) -> bool:
    """Whether `path` is an array file, or a folder with .npy files and no picture."""
    if path.is_dir():
        return any(path.glob("*.npy")) and not any(is_picture(file.name) for file in path.rglob("*"))
    return path.suffix.lower() in SUFFIXES and path.is_file()


def names_in(path: Path) -> list[str]:
    """The names of the arrays of an .npz or of a folder; the file's own for a .npy."""
    if path.is_dir():
        with reading(path):
            return sorted(file.stem for file in path.glob("*.npy"))
    if path.suffix.lower() == ".npy":
        return [path.stem]
    try:
        with np.load(path, allow_pickle=False) as archive:
            return list(archive.files)
    except OSError as error:
        with reading(path):
            raise error if error.errno else DataError(f"{path} cannot be read as an array: {error}") from error
    except (*DAMAGE, ValueError, AttributeError, NotImplementedError) as error:
        raise DataError(f"{path} cannot be read as an array: {error}") from error


def parts(names: Iterable[str]) -> dict[Part, str]:
    """What the arrays are: x_train is the images to train on, test_labels the labels of the test images."""
    found: dict[Part, str] = {}
    for name in names:
        words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())
        split = next((split for split, aliases in SPLITS.items() if set(words) & set(aliases)), "")
        labels = bool(set(words) & set(LABELS))
        known = {*LABELS, *IMAGES, *(alias for aliases in SPLITS.values() for alias in aliases)}
        if (words and set(words) <= known) or labels:
            found.setdefault((split, "labels" if labels else "images"), name)
    return found


@overload
def load(path: Path, name: str) -> np.ndarray: ...
@overload
def load(path: Path, name: str, *, objects: bool) -> np.ndarray | None: ...
def load(path: Path, name: str, *, objects: bool = False) -> np.ndarray | None:
    """One array: of an .npz or a folder that called `name`, or the .npy. Only a .npy is memory-mapped.

    Args:
        objects: whether an array of Python objects, which is never loaded, is None; else it is refused.
    """
    file = path / f"{name}.npy" if path.is_dir() else path
    try:
        loaded = np.load(file, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return np.asarray(loaded)
        with loaded:
            array: np.ndarray = loaded[name]
            return array
    except PermissionError as error:
        raise DataError(f"{file} cannot be read ({error.strerror})") from error
    except (*DAMAGE, MemoryError, NotImplementedError) as error:
        raise DataError(f"{file} cannot be read as an array: {error}") from error
    except (
        ValueError,
        OverflowError,
        TokenError,
        SyntaxError,
        TypeError,
    ) as error:  # a wrong header, or too little data
        if objects and "allow_pickle" in str(error):
            return None
        raise DataError(f"{file} holds no plain array of numbers ({error})") from error


def as_images(array: np.ndarray, path: Path) -> np.ndarray:
    """Images as uint8 (n, 1 or 3, h, w). False is black and True white; floats are rounded half to even.

    DataError for other shapes, and for values that are no images'.
    """
    shape = array.shape
    if array.ndim == 3:
        _several(shape, path)
        array = array[:, None]
    elif array.ndim == 4 and shape[1] not in (1, 3) and shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or array.shape[1] not in (1, 3) or not array.size:
        raise DataError(f"{path} has shape {shape}; {SHAPES}")
    most = {"b": 1, "i": 255, "u": 255, "f": 1}.get(array.dtype.kind, -1)
    if most < 0:
        raise DataError(f"{path} holds {array.dtype}; images are numbers")
    if array.dtype == np.uint8 and _bright(array):
        return array
    if array.dtype.kind in "iu" and array.min() >= 0 and array.max() == 1:
        how = "save them as floats, as array.astype('float32'), or times 255"
        raise DataError(f"{path} holds {array.dtype} of 0 and 1 only, almost black as bytes; if 1 is white, {how}")
    if array.dtype == np.uint8:
        return array
    if not (array.min() >= 0 and array.max() <= most):
        raise DataError(
            f"{path} holds {array.dtype} from {array.min()} to {array.max()}; images are whole numbers from 0 to 255, "
            "or floats from 0 to 1"
        )
    images = np.empty(array.shape, dtype=np.uint8)
    for into, image in zip(images, array, strict=True):  # one at a time: float64 takes eight times the memory
        into[:] = np.rint(image.astype(np.float64) * (255.0 / most))
    return images


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


def _bright(array: np.ndarray) -> bool:
    """Whether a byte is above 1; of a mapped file, only what comes before it is read."""
    return any(int(image.max()) > 1 for image in array)
