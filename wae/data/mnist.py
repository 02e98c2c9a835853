"""MNIST from its four IDX files, with the official split."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wae.data.errors import DataError

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> None:
    """The 60,000 training and 10,000 test images as published. (The WAE authors' code pools and splits them again.)"""
    for split, (images_file, labels_file) in FILES.items():
        images, labels = read_idx(raw / images_file, 3), read_idx(raw / labels_file, 1)
        if len(images) != len(labels):
            raise DataError(
                f"{raw}: {images_file} has {len(images)} images, but {labels_file} has {len(labels)} labels"
            )
        if labels.max(initial=0) > 9:
            raise DataError(f"{raw / labels_file}: found the label {labels.max()}; expected 0 to 9")
        np.save(folder / f"{split}.npy", images[:, None])
        np.save(folder / f"{split}-labels.npy", labels[:, None])


def read_idx(path: Path, axes: int) -> np.ndarray:
    """The array of a gzipped IDX file: bytes 0, 0, 8 (for uint8) and `axes`; the sizes, big-endian uint32; the data."""
    try:
        with gzip.open(path) as file:
            content = file.read()
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file, found none; download it first") from None
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
