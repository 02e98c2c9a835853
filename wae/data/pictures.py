"""Any pictures as one array: a folder or zip of image files, or an array file."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from wae.data.arrays import is_array, read_images
from wae.data.errors import DataError
from wae.data.members import read_member

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # no others: Pillow starts other programs for some formats
GREY = ("1", "L", "LA")  # Pillow's modes without colour
SETS = "a folder or zip of pictures"
LARGEST = 1 << 26  # bytes of one file after unpacking
PIXELS = 1 << 25  # of one picture; 33 million are an 8K screen
DEEP = ("I", "I;16", "I;16B", "F")  # Pillow would cut their values at 255
TURNS = {  # EXIF's orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Reader = Callable[[], bytes]
Fit = Callable[[np.ndarray], np.ndarray]


def read_pictures(path: Path, most: int | None = None, fit: Fit | None = None) -> np.ndarray:
    """The pictures of `path` as uint8 (n, 1 or 3, h, w), the first `most` in the order of their names.

    A folder is read with its subfolders; a zip is not unpacked to disk. `wae.data.arrays` says what a .npy or .npz may
    hold. A .npy of uint8 is memory-mapped.

    Args:
        fit: makes of a picture (1 or 3, h, w) one of another size, before all are put into one array.

    Raises:
        DataError: nothing is there; a file is no picture or holds several; pictures are partly transparent or have
            several sizes; or an array does not hold images.
    """
    if is_array(path):
        images = read_images(path)[:most]
        return images if fit is None else np.stack([fit(image) for image in images])
    with opened_pictures(path, f"{SETS}, a .npy or a .npz") as files:
        return _stacked(path, dict(islice(files.items(), most)), fit)


@contextmanager
def opened_pictures(path: Path, allowed: str = SETS) -> Iterator[dict[str, Reader]]:
    """Name -> a function that reads the picture, for a folder or zip, sorted by name. Nothing is unpacked to disk.

    Args:
        allowed: the kinds of `path` that the caller accepts, in words.

    Raises:
        DataError: `path` is neither, or it has a link, a name that leads out of the zip, or a file that is too large.
    """
    if path.is_dir():
        yield dict(_of_folder(path))
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                yield dict(_of_zip(path, archive))
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise DataError(f"{path} cannot be read as a zip: {error}") from error
    else:
        found = "is not" if path.exists() else "does not exist; it should be"
        raise DataError(f"{path} {found} {allowed}")


def _of_folder(path: Path) -> Iterator[tuple[str, Reader]]:
    found: dict[str, Path] = {}
    for folder, folders, files in os.walk(path):
        link = next((name for name in (*folders, *files) if Path(folder, name).is_symlink()), None)
        if link is not None:
            raise DataError(f"{Path(folder, link)} is a link; only files of the folder itself are read")
        found |= {Path(folder, name).relative_to(path).as_posix(): Path(folder, name) for name in files}
    for name in _pictures(found):
        _small(f"{path}/{name}", found[name].stat().st_size)
        yield name, found[name].read_bytes


def _of_zip(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, Reader]]:
    infos = archive.infolist()
    members = {info.filename: info for info in infos}
    if len(members) < len(infos):
        raise DataError(f"{path} has two files of one name")
    for name, info in members.items():
        if info.flag_bits & 1:
            raise DataError(f"{path}/{name} is encrypted; it cannot be read")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DataError(f"{path}/{name} is a link; only files of the zip itself are read")
        if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor:
            raise DataError(f"{path} has a file {name!r}, whose name leads out of it")
    for name in _pictures(members):
        _small(f"{path}/{name}", members[name].file_size)
        yield name, partial(read_member, archive, members[name])


def _pictures(names: Iterable[str]) -> list[str]:
    """The sorted names of pictures, without hidden files and files that macOS adds to zips."""
    hidden = (".", "__MACOSX")
    return sorted(
        name
        for name in names
        if name.lower().endswith(SUFFIXES) and not any(part.startswith(hidden) for part in PurePosixPath(name).parts)
    )


def _small(name: str, size: int) -> None:
    if size > LARGEST:
        raise DataError(f"{name} would be {size:,} bytes; at most {LARGEST:,} are read")


def _stacked(path: Path, files: Mapping[str, Reader], fit: Fit | None) -> np.ndarray:
    if not files:
        raise DataError(f"{path} holds no picture; looked for {', '.join(SUFFIXES)}")
    first, stacked = next(iter(files)), np.empty((0, 0, 0, 0), dtype=np.uint8)
    for index, (name, read) in enumerate(files.items()):
        array = _decoded(f"{path}/{name}", read())
        array = array if fit is None else fit(array)
        if index == 0:
            stacked = np.empty((len(files), *array.shape), dtype=np.uint8)
        if array.shape[1:] != stacked.shape[2:]:
            sizes = [f"{shape[-1]}x{shape[-2]} ({of})" for shape, of in ((stacked.shape, first), (array.shape, name))]
            raise DataError(f"{path} has pictures of {sizes[0]} and of {sizes[1]}; a set has one size")
        if len(array) > stacked.shape[1]:  # the first colour picture after grey ones
            stacked = stacked.repeat(len(array), axis=1)
        stacked[index] = array
    return stacked


def _decoded(name: str, content: bytes) -> np.ndarray:
    """A picture as uint8 (1 or 3, h, w)."""
    with picture(name, content) as image:
        pixels = np.asarray(image.convert("L" if image.mode in GREY else "RGB"))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


@contextmanager
def picture(name: str, content: bytes) -> Iterator[Image.Image]:
    """The one picture of a file, turned upright by its EXIF data.

    DataError if it is not opaque, has more than 8 bits per channel or more than PIXELS pixels, or holds several frames.
    Errors while it is open, such as a damaged file, raise DataError too.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _suitable(name, image)
            image.load()  # Pillow turns a TIFF here, and deletes its orientation
            turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            yield image if turn is None else image.transpose(turn)
    except DataError:
        raise
    except UnidentifiedImageError as error:  # Pillow's message names only an object in memory
        raise DataError(
            f"{name} is no picture that can be read: its bytes are not recognised as {', '.join(FORMATS)}"
        ) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{name} is no picture that can be read: {error}") from error


def _suitable(name: str, image: Image.Image) -> None:
    if image.mode in DEEP:
        raise DataError(f"{name} has more than 8 bits a channel (mode {image.mode}); pictures here have 8")
    if image.width * image.height > PIXELS:  # known before anything is decoded
        raise DataError(f"{name} has {image.width:,}x{image.height:,} pixels; at most {PIXELS:,} are decoded")
    # A camera's JPEG may hold a preview or a gain map after the photograph (MPO).
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise DataError(f"{name} holds several frames or pages; here a file is one picture")
    if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        raise DataError(f"{name} is transparent in places, and what is behind it is not known; lay it over a colour")
