"""Makes one uint8 array per split, downloaded or drawn. A file is checked before it gets its name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from wae.data import celeba, digits, faces, images, lines, mnist
from wae.data.errors import DataError
from wae.data.progress import say
from wae.io import read_array

SPLITS = ("train", "test")
PUBLISHED = {"celeba"}  # its partition is official and by name: a picture with two names there is kept
Preparer = Callable[[Mapping[str, Any], Path, Path, int], None]


def prepare(name: str, entry: Mapping[str, Any], raw: Path, out: Path, *, processes: int = 1) -> None:
    """Write {train,test}.npy, uint8 (N, C, H, W), and, if `entry` has labels, {train,test}-labels.npy, uint8 (N, F).

    `processes` does not change the bytes. Files get their names only after all are written and checked.

    Args:
        name: of the data set, for messages.
        entry: its parameters (`datasets.<name>`); `kind` is a key of PREPARERS.
        raw: the folder with its source's files; not read by kinds without a source.
        out: `data/<name>`.
        processes: how many processes decode pictures.

    Raises:
        DataError: a file is missing, damaged or not what `entry` says, or a test image is also a training image.
    """
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".part-", dir=out) as scratch:
        folder = Path(scratch)
        PREPARERS[entry["kind"]](entry, raw, folder, processes)
        sizes = check(name, entry, folder)
        for path in sorted(folder.iterdir()):
            path.replace(out / path.name)
    size = "x".join(map(str, entry["shape"]))
    say(f"{name}: {sizes['train']:,} training and {sizes['test']:,} test images of {size}, {sizes['shared']} shared")


def check(name: str, entry: Mapping[str, Any], folder: Path) -> dict[str, int]:
    """The number of images in each split and in both. Raises DataError if the files do not fit `entry`."""
    sizes = {}
    for split in SPLITS:
        array = read_array(folder / f"{split}.npy")
        expected = tuple(entry["shape"])
        if array.dtype != np.uint8 or array.shape[1:] != expected:
            raise DataError(f"{name}: expected {split} images uint8 {expected}, found {array.dtype} {array.shape}")
        if len(array) != entry[split]:
            raise DataError(f"{name}: expected {entry[split]:,} {split} images, found {len(array):,}")
        labels = folder / f"{split}-labels.npy"
        if labels.exists() != entry["labels"]:
            raise DataError(f"{name}: labels is {entry['labels']}, but kind {entry['kind']!r} says {labels.exists()}")
        if entry["labels"] and len(read_array(labels)) != len(array):
            raise DataError(f"{name}: {split} has {len(array)} images, but {len(read_array(labels))} labels")
        sizes[split] = len(array)
    shared = len(digests(folder / "train.npy") & digests(folder / "test.npy"))
    if shared and entry["kind"] not in PUBLISHED:
        raise DataError(f"{name}: {shared} test images are also training images, byte for byte")
    return sizes | {"shared": shared}


def digests(path: Path, batch: int = 1024) -> set[bytes]:
    """The digests of all images of a file."""
    found: set[bytes] = set()
    for start in range(0, len(read_array(path)), batch):
        # A new memory map for each batch: in one map, all pages that were read would count as used memory.
        found.update(
            hashlib.blake2b(image, digest_size=16).digest() for image in read_array(path)[start : start + batch]
        )
    return found


PREPARERS: dict[str, Preparer] = {
    "mnist": mnist.prepare,
    "celeba": celeba.prepare,
    "digits": digits.prepare,
    "faces": faces.prepare,
    "lines": lines.prepare,
    "images": images.prepare,
}
