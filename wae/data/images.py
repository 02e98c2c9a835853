"""A user's own pictures or arrays as a data set. Memory does not grow with the number of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wae.data import array_sets
from wae.data.arrays import is_arrays
from wae.data.containers import SETS, opened_pictures, place
from wae.data.decoding import Decoding, Named, pool, write
from wae.data.errors import reading
from wae.data.fitting import Fit, fitted
from wae.data.picture import picture
from wae.data.progress import progress
from wae.data.shared import Names, digest
from wae.data.splits import classes, distinct, draws_apart, save_labels, split

ALLOWED = f"{SETS}, a .npy, a .npz or a folder of .npy"


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> Names:
    """Write the images of `path`: from the source if the entry has one, else the user's own. Returns their names."""
    path = place(entry, raw)
    with reading(path):
        arrays = is_arrays(path)
    if arrays:
        return array_sets.prepare(path, entry, folder)
    pixels = entry.get("pixels") or 0
    with opened_pictures(path, ALLOWED, pixels=pixels) as files, pool(processes) as run:
        decoding = Decoding(run, partial(decode_all, fit=Fit.of(entry), pixels=pixels))

        def images(names: Iterable[str]) -> Iterator[np.ndarray]:
            return decoding((f"{path}/{name}", files[name]) for name in names)

        names = list(files)
        if draws_apart(entry):
            digests = [digest(image) for batch in images(names) for image in batch]
            decoding.finish(path)
            names = [names[row] for row in distinct(path, digests)]
        splits = split(path, names, entry)
        if entry["labels"]:
            save_labels(folder, *classes(path, splits))
        with progress("decoding", sum(map(len, splits.values())), "images") as advance:
            for name, chosen in splits.items():
                write(folder / f"{name}.npy", (len(chosen), *entry["shape"]), images(chosen), advance)
        decoding.finish(path)
    return splits


def decode_all(files: Sequence[Named], *, fit: Fit, pixels: int = 0) -> np.ndarray:
    """Images, uint8 (n, c, h, w), of pictures with at most `pixels` pixels (0: as many as usual)."""
    images = np.empty((len(files), *fit.shape), np.uint8)
    for row, (name, content) in enumerate(files):
        with picture(name, content, pixels) as image:
            images[row] = fitted(name, image, fit)
    return images
