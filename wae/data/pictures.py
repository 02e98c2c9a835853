"""Any pictures as one array: a folder, zip or tar of image files, or an array file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from wae.data import progress
from wae.data.arrays import SUFFIXES, images_of
from wae.data.containers import SETS, Say, opened_pictures
from wae.data.errors import DataError, all_of, reading
from wae.data.members import Reader
from wae.data.picture import decoded

Fit = Callable[[np.ndarray], np.ndarray]


def read_pictures(path: Path, most: int | None = None, say: Say = progress.say, fit: Fit | None = None) -> np.ndarray:
    """The pictures of `path` as uint8 (n, 1 or 3, h, w), the first `most` in the order of their names.

    A folder is read with its sub-folders; a zip is not unpacked to disk. Arrays are .npy, or .npz with one array of
    images, of shape (n, h, w), (n, c, h, w) or (n, h, w, c): whole numbers from 0 to 255, bool, or floats in [0, 1],
    which are rounded half to even. A .npy of uint8 is memory-mapped. `say` is told which files are passed over.

    Args:
        fit: makes of a picture (1 or 3, h, w) one of another size, before all are put into one array.

    Raises:
        DataError: nothing is there or can be read; files are no pictures or hold several; pictures are partly
            transparent or have several sizes; or an array does not hold images.
    """
    with reading(path):
        array = path.suffix.lower() in SUFFIXES and path.is_file()
    if array:
        images = images_of(path)[:most]
        return images if fit is None else np.stack([fit(image) for image in images])
    with opened_pictures(path, f"{SETS}, a .npy or a .npz", say) as files:
        return _stacked(path, dict(islice(files.items(), most)), fit)


def _stacked(path: Path, files: Mapping[str, Reader], fit: Fit | None) -> np.ndarray:
    first, stacked, wrong = "", np.empty((0, 0, 0, 0), dtype=np.uint8), []
    for index, (name, read) in enumerate(files.items()):
        try:
            array = decoded(f"{path}/{name}", read())
        except DataError as error:
            wrong.append(str(error))
            continue
        array = array if fit is None else fit(array)
        if not first:
            first, stacked = name, np.empty((len(files), *array.shape), dtype=np.uint8)
        if array.shape[1:] != stacked.shape[2:]:
            sizes = [f"{shape[-1]}x{shape[-2]} ({of})" for shape, of in ((stacked.shape, first), (array.shape, name))]
            raise DataError(f"{path} has pictures of {sizes[0]} and of {sizes[1]}; a set has one size")
        if len(array) > stacked.shape[1]:  # the first colour picture after grey ones
            stacked = stacked.repeat(len(array), axis=1)
        stacked[index] = array
    if wrong:
        raise all_of(path, wrong)
    return stacked
