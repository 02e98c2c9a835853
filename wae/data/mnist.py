"""MNIST from its four IDX files, with the official split."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wae.data.containers import place
from wae.data.errors import DataError, reading

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
GZIP = b"\x1f\x8b"


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> None:
    """The 60,000 training and 10,000 test images as published. (The WAE authors' code splits anew.)"""
    root = place(entry, raw)
    for split, (images_file, labels_file) in FILES.items():
        images, labels = read_idx(present(root / images_file), 3), read_idx(present(root / labels_file), 1)
        if len(images) != len(labels):
            raise DataError(
                f"{root}: {images_file} has {len(images)} images, but {labels_file} has {len(labels)} labels"
            )
        if labels.max(initial=0) > 9:
            raise DataError(f"{root / labels_file}: found the label {labels.max()}; expected 0 to 9")
        np.save(folder / f"{split}.npy", images[:, None])
        np.save(folder / f"{split}-labels.npy", labels[:, None])


def present(path: Path) -> Path:
    """The file as it is there: as published, unpacked, or unpacked with a dot in its name, as some copies have it."""
    plain = path.with_suffix("")
    dotted = path.with_name(plain.name.replace("-idx", ".idx"))
    return next(
        (file for file in (path, plain, dotted, dotted.with_suffix(f"{dotted.suffix}.gz")) if file.exists()), path
    )


def read_idx(path: Path, axes: int) -> np.ndarray:
    """The array of an IDX file, gzipped or not.

    Its bytes are 0, 0, 8 (for uint8) and `axes`; the sizes, big-endian uint32; the data.
    """
    try:
        with reading(path):
            content = path.read_bytes() if path.exists() else None
        if content is None:
            raise DataError(f"{path}: expected a file, found none; download it first")
        if path.suffix == ".gz" or content.startswith(GZIP):
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: expected a whole gzip file, found a truncated or damaged one ({error})") from error
    header = 4 + 4 * axes
    if content[:4] != bytes((0, 0, 8, axes)) or len(content) < header:
        begin = bytes((0, 0, 8, axes)).hex()
        raise DataError(f"{path}: expected an IDX file that begins {begin}, found {content[:4].hex() or 'nothing'}")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", axes, 4))
    if len(content) - header != math.prod(shape):
        raise DataError(
            f"{path}: its header says {math.prod(shape):,} bytes for {shape}, found {len(content) - header:,}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
