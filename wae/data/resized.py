"""Pictures of any size brought to one, as `prepare` does it: the middle, then one of Pillow's antialiased filters."""

from __future__ import annotations

import numpy as np
from PIL import Image

from wae.data.fitting import Fit, fitted


def resized(image: np.ndarray, size: tuple[int, int], kernel: str) -> np.ndarray:
    """An image uint8 (1 or 3, h, w) as (1 or 3, *size): the largest box in its middle with these proportions."""
    picture = Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
    return fitted("a picture", picture, Fit((len(image), *size), None, kernel))
