"""Makes one uint8 array per split, downloaded or drawn. A file is checked before it gets its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from wae.data import celeba, digits, faces, images, lines, mnist, shared
from wae.data.errors import DataError, writing
from wae.data.progress import say
from wae.data.shared import Names
from wae.io import read_array

SPLITS = ("train", "test")
PUBLISHED = {"celeba"}  # its partition is official and by name: a picture with two names there is kept
Preparer = Callable[[Mapping[str, Any], Path, Path, int], Names | None]


def prepare(name: str, entry: Mapping[str, Any], raw: Path, out: Path, *, processes: int = 1) -> None:
    """Write {train,test}.npy, uint8 (N, C, H, W), and, if `entry` has labels, {train,test}-labels.npy, (N, F).

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
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".part-", dir=out) as scratch:
            folder = Path(scratch)
            names = PREPARERS[entry["kind"]](entry, raw, folder, processes)
            sizes = check(name, entry, folder, names)
            for path in sorted(folder.iterdir()):
                path.replace(out / path.name)
    size = "x".join(map(str, entry["shape"]))
    say(f"{name}: {sizes['train']:,} training and {sizes['test']:,} test images of {size}, {sizes['shared']} shared")


def check(name: str, entry: Mapping[str, Any], folder: Path, names: Names | None = None) -> dict[str, int]:
    """The number of images in each split and in both. Raises DataError if the files do not fit `entry`.

    `names` are the images' files, for messages. With `shared: drop`, training images that are test images go.
    """
    for split in SPLITS:
        array = read_array(folder / f"{split}.npy")
        expected = tuple(entry["shape"])
        if array.dtype != np.uint8 or array.shape[1:] != expected:
            raise DataError(f"{name}: expected {split} images uint8 {expected}, found {array.dtype} {array.shape}")
        labels = folder / f"{split}-labels.npy"
        if labels.exists() != entry["labels"]:
            raise DataError(f"{name}: labels is {entry['labels']}, but kind {entry['kind']!r} says {labels.exists()}")
        if entry["labels"] and len(read_array(labels)) != len(array):
            raise DataError(f"{name}: {split} has {len(array)} images, but {len(read_array(labels))} labels")
    both, left_out = settled(name, entry, folder, names)
    sizes = {split: len(read_array(folder / f"{split}.npy")) for split in SPLITS}
    for split, found in sizes.items():
        if found != entry[split]:
            after = f" after {left_out:,} that are test images were left out" if left_out and split == "train" else ""
            raise DataError(f"{name}: expected {entry[split]:,} {split} images, found {found:,}{after}")
    return sizes | {"shared": both}


def settled(name: str, entry: Mapping[str, Any], folder: Path, names: Names | None) -> tuple[int, int]:
    """What `shared` says is done with pictures that both splits have: how many there are, and are left out."""
    found = shared.pairs(folder / "train.npy", folder / "test.npy")
    both = len({test for _, test in found})
    what = entry.get("shared") or ("keep" if entry["kind"] in PUBLISHED else None)
    if not found or what == "keep":
        return both, 0
    if what is None:
        raise DataError(
            f"{name}: {both} test images are also training images, byte for byte\n{shared.told(found, names)}\n"
            "delete one of each, or write `shared: drop` into the entry to leave them out of the training images, or "
            "`shared: keep`"
        )
    for path in (folder / "train.npy", folder / "train-labels.npy"):
        if path.exists():
            shared.without(path, [train for train, _ in found])
    say(f"{name}: {len(found):,} training images are left out: they are test images too\n{shared.told(found, names)}")
    return 0, len(found)


PREPARERS: dict[str, Preparer] = {
    "mnist": mnist.prepare,
    "celeba": celeba.prepare,
    "digits": digits.prepare,
    "faces": faces.prepare,
    "lines": lines.prepare,
    "images": images.prepare,
}
