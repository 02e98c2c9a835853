"""Pictures of any size brought to one, as `prepare` does it: the middle, then one of Pillow's antialiased filters."""

from __future__ import annotations

import numpy as np
from PIL import Image

from wae.data.celeba import FILTERS
from wae.data.images import middle


def resized(image: np.ndarray, size: tuple[int, int], kernel: str) -> np.ndarray:
    """An image uint8 (1 or 3, h, w) as (1 or 3, *size): the largest box in its middle with these proportions."""
    height, width = size
    picture = Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
    part = picture.crop(middle(picture.size, width, height))
    if part.size != (width, height):
        part = part.resize((width, height), FILTERS[kernel])
    pixels = np.asarray(part)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
