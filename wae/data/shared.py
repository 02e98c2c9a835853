"""Pictures that are in both splits: told by name, left out of the training images, or kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from wae.data.errors import MOST
from wae.io import read_array

Names = Mapping[str, Sequence[str]]


def digests(path: Path, batch: int = 1024) -> Iterator[bytes]:
    """The digest of each image of a file, in order."""
    for start in range(0, len(read_array(path)), batch):
        # A new memory map for each batch: in one map, all pages that were read would count as used memory.
        for image in read_array(path)[start : start + batch]:
            yield digest(image)


def digest(image: np.ndarray) -> bytes:
    """What two images have in common only if all their pixels are equal."""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


def pairs(train: Path, test: Path) -> list[tuple[int, int]]:
    """The rows of the training images that are also test images, each with the first test image that it equals."""
    held: dict[bytes, int] = {}
    for row, found in enumerate(digests(test)):
        held.setdefault(found, row)
    return [(row, held[found]) for row, found in enumerate(digests(train)) if found in held]


def without(path: Path, rows: Sequence[int], batch: int = 1024) -> None:
    """Write an array file anew without these rows."""
    array = read_array(path)
    kept = np.delete(np.arange(len(array)), rows)
    beside = path.with_name(f"{path.name}.part")
    header = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False}
    with beside.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header | {"shape": (len(kept), *array.shape[1:])})
        for start in range(0, len(kept), batch):
            file.write(np.ascontiguousarray(read_array(path)[kept[start : start + batch]]).data)
    beside.replace(path)


def told(found: Sequence[tuple[int, int]], names: Names | None) -> str:
    """Which training images are also test images: the first MOST pairs, by their files where they have any."""

    def name(split: str, row: int) -> str:
        return names[split][row] if names else f"{split} image {row}"

    listed = [f"  {name('train', row)} = {name('test', other)}" for row, other in found[:MOST]]
    return "\n".join([*listed, *([f"  and {len(found) - MOST:,} more"] if len(found) > MOST else [])])
