"""Antialiased painting of many small pictures at once, from signed distances.

A picture spans [-1, 1] x [-1, 1], y downwards. A shape is a signed distance (n, h, w), negative inside; its edge is one
pixel wide, so no supersampling is needed. Pixels are computed only with sums, products, quotients and roots: these
round in the same way on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32


@dataclass(frozen=True)
class Region:
    """A window of n pictures with the coordinates of its pixels. It is a view: painting on it changes the pictures."""

    pixels: Array  # (n, 3, h, w) in [0, 1]
    x: Array  # (n or 1, h, w)
    y: Array
    size: float  # of a pixel

    @classmethod
    def blank(cls, n: int, side: int) -> Region:
        """`n` black square pictures."""
        centres = ((np.arange(side) + 0.5) * 2 / side - 1).astype(np.float32)
        grid = np.broadcast_to(centres, (1, side, side))
        return cls(np.zeros((n, 3, side, side), np.float32), grid, grid.swapaxes(1, 2), 2 / side)

    def window(self, left: float, top: float, right: float, bottom: float) -> Region:
        """The part of a whole canvas between these coordinates, so that a small shape needs little work."""
        rows, columns = (
            slice(max(0, int((low + 1) / self.size)), max(0, int((high + 1) / self.size) + 1))
            for low, high in ((top, bottom), (left, right))
        )
        return Region(self.pixels[:, :, rows, columns], self.x[:, rows, columns], self.y[:, rows, columns], self.size)

    def turned(self, x: Array, y: Array, angle: Array) -> Region:
        """The same pixels in coordinates around (x, y), turned by `angle`; all three are (n, 1, 1)."""
        cos, sin = np.cos(angle), np.sin(angle)
        right, down = self.x - x, self.y - y
        return Region(self.pixels, right * cos + down * sin, down * cos - right * sin, self.size)

    def cover(self, distance: Array) -> Array:
        """How much of each pixel a shape covers, in [0, 1]."""
        return np.clip(0.5 - distance * (1 / self.size), 0, 1)

    def paint(self, cover: Array, colour: Array) -> None:
        """Blend `colour`, (n, 3, 1, 1) or a field (n, 3, h, w), over the pixels by `cover` (n, h, w)."""
        self.pixels[...] += cover[:, None] * (colour - self.pixels)


def ellipse(x: Array, y: Array, width: Array | float, height: Array | float) -> Array:
    """Signed distance, exact to first order at the edge, to an ellipse around 0 with these half-axes."""
    u, v = x / width, y / height
    norm = np.sqrt(u * u + v * v)
    u, v = u / width, v / height
    return (norm - 1) * norm / np.sqrt(u * u + v * v + np.float32(1e-12))


def capsule(x: Array, y: Array, half: Array, slope: Array, thickness: Array | float) -> Array:
    """Signed distance to a thick stroke of half-length `half` along the direction (1, slope)."""
    along = np.clip((x + slope * y) / (1 + slope * slope), -half, half)
    right, down = x - along, y - slope * along
    distance: Array = np.sqrt(right * right + down * down) - thickness
    return distance


def smooth(low: float, high: float, value: Array) -> Array:
    """0 below `low`, 1 above `high`, a cubic between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
