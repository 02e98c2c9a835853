"""Which images are measured: drawn by a seed, never the first by name; and an order that names have no part in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from wae.errors import UserError
from wae.runtime import seed_for


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of `images` in an order of their own; each is read only when it is looked at.

    Args:
        images: (n, c, h, w); it may be memory-mapped.
        rows: their positions, in the order wanted.
    """

    images: Images
    rows: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, some: slice | NDArray[np.intp]) -> np.ndarray:
        return self.images[self.rows[some]]

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self.rows), *self.images.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """As of an array."""
        return self.images.dtype


Images = np.ndarray | Rows


def chosen(total: int, n: int, seed: int) -> NDArray[np.intp]:
    """Sorted positions of `n` of `total` images, drawn without replacement; all of them where n is not less.

    One seed gives every model the same. The positions of fewer images are among those of more.
    """
    return np.sort(shuffled(total, seed)[:n])


def shuffled(total: int, seed: int) -> NDArray[np.intp]:
    """All positions of `total` images, in an order drawn by `seed`."""
    return np.random.default_rng(seed_for("images", seed)).permutation(total)


def drawn(images: np.ndarray, n: int, seed: int, key: str) -> np.ndarray:
    """`n` of the images, drawn by `seed`, in memory and in the order of the array.

    Raises:
        UserError: there are fewer; `key` of the params asks for them.
    """
    return np.array(images[chosen(*_enough(images, n, key), seed)])


def drawn_pairs(images: np.ndarray, n: int, seed: int, key: str) -> np.ndarray:
    """2n of the images in an order drawn by `seed`, so that neighbours are any two, also where an array is sorted."""
    total, most = _enough(images, 2 * n, key)
    return np.array(images[shuffled(total, seed)[:most]])


def _enough(images: np.ndarray, n: int, key: str) -> tuple[int, int]:
    if len(images) < n:
        raise UserError(f"{key} takes {n} images, but this split has {len(images)}; it is at most that number")
    return len(images), n


def by_content(images: Images, seed: int, n: int | None = None) -> Rows:
    """The images in an order that their bytes and `seed` decide, so that neither names nor an array's order matter.

    Any first part of it is a draw without replacement, copies included.

    Args:
        n: how many of them; None for all.
    """
    return Rows(images, np.argsort(identities(images, seed), kind="stable")[:n])


def identities(images: Images, seed: int) -> NDArray[np.uint64]:
    """A random number (n,) for each image, made from its bytes, `seed` and how many equal images stand before it.

    A set of images has the same numbers in every order. Copies of an image have different numbers, as independent as
    those of different images.
    """
    seen = Counter[bytes]()
    numbers = np.empty(len(images), np.uint64)
    for row, content in enumerate(_contents(images)):
        numbers[row] = int.from_bytes(blake2b(content + f"{seed}/{seen[content]}".encode(), digest_size=8).digest())
        seen[content] += 1
    return numbers


def _contents(images: Images) -> Iterator[bytes]:
    for row in range(len(images)):
        yield blake2b(images[row : row + 1].tobytes(), digest_size=16).digest()
