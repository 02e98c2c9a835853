"""Any folder or zip of pictures as a data set. Nothing is unpacked, and memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from wae.data.celeba import BATCH, FILTERS, Named, pool, write
from wae.data.errors import DataError
from wae.data.containers import opened_pictures
from wae.data.members import Reader
from wae.data.picture import picture
from wae.data.progress import progress
from wae.runtime import seed_for

SPLITS = ("train", "test")


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> None:
    """Write the pictures of `path`, a folder or a zip: from the source if the entry has one, else the user's own."""
    path = raw / entry["path"] if entry.get("source") else Path(entry["path"])
    box = tuple(entry["crop"]) if entry.get("crop") else None
    decode = partial(decode_all, shape=tuple(entry["shape"]), crop=box, kernel=entry.get("filter"))
    with opened_pictures(path) as files, pool(processes) as run:
        splits = split(path, list(files), entry)
        with progress("decoding", sum(map(len, splits.values())), "images") as advance:
            for name, names in splits.items():
                batches = run(decode, read_all(files, names))
                write(folder / f"{name}.npy", (len(names), *entry["shape"]), batches, advance)


def split(path: Path, names: Sequence[str], entry: Mapping[str, Any]) -> dict[str, list[str]]:
    """The sorted names of each split: drawn with the entry's seed, or without one from the folders train and test."""
    if entry.get("seed") is None:
        splits = {key: [name for name in names if key in PurePosixPath(name).parts[:-1]] for key in SPLITS}
        if not all(splits.values()) or set(splits["train"]) & set(splits["test"]):
            raise DataError(f"{path}: expected pictures in folders train and test; or give a seed to draw the split by")
        return splits
    train, test = entry["train"], entry["test"]
    if train + test > len(names):
        raise DataError(f"{path}: expected {train + test:,} pictures or more, found {len(names):,}")
    order = np.random.default_rng(seed_for("images", entry["seed"])).permutation(len(names))
    drawn = {"train": order[:train], "test": order[train : train + test]}
    return {key: [names[row] for row in np.sort(rows)] for key, rows in drawn.items()}


def read_all(files: Mapping[str, Reader], names: Sequence[str]) -> Iterator[list[Named]]:
    """The files' bytes, BATCH at a time."""
    for start in range(0, len(names), BATCH):
        yield [(name, files[name]()) for name in names[start : start + BATCH]]


def decode_all(
    files: Sequence[Named], *, shape: tuple[int, int, int], crop: tuple[int, int, int, int] | None, kernel: str | None
) -> np.ndarray:
    """Images, uint8 (n, *shape): cropped to the box, or to the middle with the shape's proportions, then resized."""
    channels, height, width = shape
    images = np.empty((len(files), *shape), np.uint8)
    for row, (name, content) in enumerate(files):
        with picture(name, content) as image:
            box = crop or middle(image.size, width, height)
            if not (box[0] < box[2] <= image.width and box[1] < box[3] <= image.height):
                raise DataError(f"{name}: expected room for the crop {box}, found {image.width}x{image.height} pixels")
            small = image.convert("RGB" if channels == 3 else "L").crop(box)
            if small.size != (width, height):
                if kernel is None:
                    raise DataError(f"{name}: expected {width}x{height} pixels, found {small.width}x{small.height}")
                small = small.resize((width, height), FILTERS[kernel])
            pixels = np.asarray(small)
        images[row] = pixels if channels == 1 else pixels.transpose(2, 0, 1)
    return images


def middle(size: tuple[int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """The largest box in the middle of a picture with the proportions width : height."""
    across = min(size[0], max(1, size[1] * width // height))
    down = min(size[1], max(1, size[0] * height // width))
    left, upper = (size[0] - across) // 2, (size[1] - down) // 2
    return left, upper, left + across, upper + down
