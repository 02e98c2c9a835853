"""Two sets of pictures that are to be compared: brought to the same number of channels, or refused."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np

from wae.data.errors import DataError

SMALLEST = 3  # pixels a side: sharpness needs a 3x3 Laplacian
LOOKED = 1 << 26  # bytes compared at once
COLOUR = {1: "grey", 3: "colour"}

Pair = tuple[np.ndarray, np.ndarray]


def alike(path: Path, images: np.ndarray, against: Path, reference: np.ndarray) -> tuple[Pair, str]:
    """Both sets with as many channels, and what was done for it in words; empty if nothing.

    Where one set is grey and the other has three equal channels in every picture, one of these is taken.

    Raises:
        DataError: the sets have different sizes, or one is in colour and the other grey; one holds a single picture; or
            the pictures are too small.
    """
    for where, of in ((path, images), (against, reference)):
        measurable(where, of)
    if images.shape[2:] != reference.shape[2:]:
        sizes = " and ".join(f"{where} has {_size(of)}" for where, of in ((path, images), (against, reference)))
        raise DataError(f"{sizes}; only equal sizes compare: --size N resizes both, which changes every number")
    if images.shape[1] == reference.shape[1]:
        return (images, reference), ""
    sets = {path: images, against: reference} if len(images[0]) == 3 else {against: reference, path: images}
    (coloured, colour), (grey_path, grey) = sets.items()
    if not grey_in_colour(colour):
        how = f"save {coloured} as grey, or {grey_path} as colour (in Pillow convert('L') or convert('RGB'))"
        raise DataError(f"{coloured} has pictures in colour and {grey_path} in grey; {how}")
    pair = (colour[:, :1], grey) if colour is images else (grey, colour[:, :1])
    return pair, f"the three channels of {coloured.name} are equal in every picture, so one was taken, as grey"


def measurable(where: Path, images: np.ndarray) -> None:
    """Raise DataError for one picture, and for pictures that are too small."""
    if len(images) < 2:
        raise DataError(f"{where} holds one picture; a distance of distributions takes at least two")
    if min(images.shape[2:]) < SMALLEST:
        raise DataError(f"{where} has {_size(images)}; the smallest that can be measured is 3x3")


def grey_in_colour(images: np.ndarray) -> bool:
    """Whether the three channels of uint8 (n, 3, h, w) are equal in every picture."""
    step = max(1, LOOKED // images[0].size)
    parts = (images[start : start + step] for start in range(0, len(images), step))
    return all(bool((part == part[:, :1]).all()) for part in parts)


def resizing(size: int, kernel: str) -> str:
    """How pictures were resized, in words."""
    return f"the middle square resized to {size}x{size} by {kernel} of Pillow {version('pillow')}, antialiased"


def _size(images: np.ndarray) -> str:
    return f"pictures of {images.shape[3]}x{images.shape[2]} in {COLOUR[images.shape[1]]}"
