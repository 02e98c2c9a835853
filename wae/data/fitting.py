"""A picture made to fit a data set's shape: its colours, its part, its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from wae.data.decoding import FILTERS
from wae.data.errors import DataError


class Fit(NamedTuple):
    """How pictures become images of a data set.

    Args:
        shape: channels, height, width.
        crop: left, upper, right, lower; None for the largest part in the middle with the shape's proportions.
        kernel: the filter that resizes; None if every picture has its size.
    """

    shape: tuple[int, int, int]
    crop: tuple[int, int, int, int] | None
    kernel: str | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Fit:
        """That of a data set's entry."""
        crop = entry.get("crop")
        return cls(tuple(entry["shape"]), tuple(crop) if crop else None, entry.get("filter"))


def fitted(name: str, image: Image.Image, fit: Fit) -> np.ndarray:
    """A picture as uint8 (c, h, w). DataError if it has no room for the crop, or would need a filter."""
    (channels, height, width), crop, kernel = fit
    box = crop or middle(image.size, width, height)
    if not (box[0] < box[2] <= image.width and box[1] < box[3] <= image.height):
        raise DataError(f"{name}: expected room for the crop {box}, found {image.width}x{image.height} pixels")
    small = image.convert("RGB" if channels == 3 else "L").crop(box)
    if small.size != (width, height):
        if kernel is None:
            found = f"{small.width}x{small.height}"
            raise DataError(f"{name}: expected {width}x{height} pixels, found {found}; a `filter` would resize it")
        small = small.resize((width, height), FILTERS[kernel])
    pixels = np.asarray(small)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def middle(size: tuple[int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """The largest box in the middle of a picture with the proportions width : height."""
    across = min(size[0], max(1, size[1] * width // height))
    down = min(size[1], max(1, size[0] * height // width))
    left, upper = (size[0] - across) // 2, (size[1] - down) // 2
    return left, upper, left + across, upper + down
