"""Sliced Wasserstein distance of the patches of Laplacian pyramids (Karras et al. 2018, section 5), without a network.

A level is the difference of an image between one scale and the next coarser one; the last level is the coarsest image.
At each level, 128 patches of 7 x 7 pixels per image are compared with as many real ones. Each set is normalised alone,
so the distance sees texture and shape, but no overall brightness, contrast or tint.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from wae.metrics.checks import TooFewError
from wae.metrics.draws import Images, Rows, identities

SIDE = 7  # of a patch
PATCHES = 128  # an image
DIRECTIONS = 4 * 128  # Karras et al. average 4 repeats of 128
SCALE = 1e3  # as Karras et al. print it
# Karras et al. stop at 16. For powers of two 14 is equivalent, and 28 x 28 gets a second level, of 14.
SMALLEST = 14
BINOMIAL = np.array([1, 4, 6, 4, 1], dtype=np.float32) / np.float32(16)
HELD = 32  # directions projected on at once; of unequal samples a quarter, as W_1 then holds four times as much
FILTERED = 1 << 21  # pixel values filtered at once: 8 MiB

Pixels = NDArray[np.float32]


def laplacian_swd(x: Images, y: Images, generator: torch.Generator) -> dict[int, float]:
    """Height of each level in pixels -> 10^3 times the mean over directions of W_1 between the levels' patches.

    An image's own bytes decide where its patches are, so the order of the images does not matter, to the last bit. The
    distance is symmetric, and 0 from a sample to itself in any order. Between two samples of one distribution it is not
    0: it is comparable at equal n and m only.

    Args:
        x: images uint8 (n, c, h, w).
        y: images uint8 (m, c, h, w).
        generator: draws a seed of the places, and the directions.

    Raises:
        TooFewError: images smaller than a patch.
    """
    if x.shape[1:] != y.shape[1:] or len(x.shape) != 4:
        raise ValueError(f"images have shapes {x.shape} and {y.shape}; this distance takes (n, c, h, w), (m, c, h, w)")
    if x.dtype != np.uint8 or y.dtype != np.uint8:
        raise ValueError(f"images are {x.dtype} and {y.dtype}; this distance takes quantised images, uint8")
    if min(x.shape[2:]) < SIDE:
        raise TooFewError(f"images of {x.shape[2]} x {x.shape[3]} hold no patch of {SIDE} x {SIDE}")
    values, seed = {}, int(torch.randint(2**63 - 1, (), generator=generator))
    pair = [placed(images, seed) for images in (x, y)]
    for index, size in enumerate(sizes(x.shape[2:])):
        a, b = (normalise(patches(images, index, *places[index])) for images, places in pair)
        directions = torch.randn(DIRECTIONS, a.shape[1], generator=generator, dtype=torch.float64).numpy()
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        values[size[0]] = SCALE * sliced_w1(a, b, directions)
    return values


# ---- pyramid ----------------------------------------------------------------


def sizes(size: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Height and width of each level of images of `size` (h, w), finest first."""
    found = [size]
    while (min(found[-1]) + 1) // 2 >= SMALLEST:
        found.append(tuple((side + 1) // 2 for side in found[-1]))
    return found


def laplacian(images: np.ndarray, index: int) -> Pixels:
    """One Laplacian level of images (n, c, h, w), 0 the finest; the last is the coarsest image."""
    fine = images.astype(np.float32)
    for _ in range(index):
        fine = halved(fine)
    last = len(sizes(images.shape[2:])) - 1
    return fine if index == last else fine - enlarged(halved(fine), fine.shape[2:])


def halved(fine: Pixels) -> Pixels:
    """Every second row and column of images that went through the binomial filter."""
    return _smoothed(fine, BINOMIAL)[:, :, ::2, ::2]


def enlarged(coarse: Pixels, size: tuple[int, ...]) -> Pixels:
    """Images of `size` (h, w) from those of every second row and column, filled by the binomial filter."""
    spread = np.zeros((*coarse.shape[:2], *size), dtype=np.float32)
    spread[:, :, ::2, ::2] = coarse
    return _smoothed(spread, np.float32(2) * BINOMIAL)


def _smoothed(x: Pixels, weights: NDArray[np.float32]) -> Pixels:
    """Rows and columns filtered, the image mirrored at its outermost pixels."""
    for axis in (2, 3):
        n, margin = x.shape[axis], [(0, 0)] * 4
        margin[axis] = (2, 2)
        around = np.pad(x, margin, mode="reflect")
        shifts = [(slice(None),) * axis + (slice(offset, offset + n),) for offset in range(5)]
        x = weights[2] * around[shifts[2]]
        x += weights[1] * (around[shifts[1]] + around[shifts[3]])
        x += weights[0] * (around[shifts[0]] + around[shifts[4]])
    return x


# ---- patches ----------------------------------------------------------------


def placed(images: Images, seed: int) -> tuple[Rows, NDArray[np.int64]]:
    """The images in an order of their own, and the upper left corners (levels, 2, n, patches) of their patches.

    Corners are uniform over all that lie inside a level. Each image draws them from its own stream, which its bytes
    and `seed` start: equal images of two samples have equal patches.
    """
    found, levels = identities(images, seed), sizes(images.shape[2:])
    order = np.argsort(found, kind="stable")
    places = np.empty((len(levels), 2, len(order), PATCHES), dtype=np.int64)
    for row, key in enumerate(found[order]):
        stream = np.random.Generator(np.random.Philox(key=key))
        for index, size in enumerate(levels):
            for axis, side in enumerate(size):
                places[index, axis, row] = stream.integers(side - SIDE + 1, size=PATCHES)
    return Rows(images, order), places


def patches(images: Images, index: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Pixels:
    """The patches of one level of images uint8 (n, c, h, w), as `cut` returns them; few images are floats at a time."""
    found = np.empty((*rows.shape, images.shape[1], SIDE, SIDE), dtype=np.float32)
    step = max(1, FILTERED // math.prod(images.shape[1:]))
    for start in range(0, len(images), step):
        some = slice(start, start + step)
        found[some] = cut(laplacian(images[some], index), rows[some], columns[some]).reshape(found[some].shape)
    return found.reshape(-1, *found.shape[2:])


def cut(level: Pixels, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Pixels:
    """The patches (n patches, c, 7, 7) of a level (n, c, h, w) at their upper left corners (n, patches)."""
    windows = np.lib.stride_tricks.sliding_window_view(level, (SIDE, SIDE), axis=(2, 3))
    patches: Pixels = windows[np.arange(len(level))[:, None], :, rows, columns]
    return patches.reshape(-1, *patches.shape[2:])


def normalise(patches: Pixels) -> Pixels:
    """Patches (k, c, 7, 7) as rows, in place: each channel at mean 0 and standard deviation 1 over the whole set.

    A channel that never varies is all 0: Karras et al. would divide by 0.
    """
    patches -= patches.mean(axis=(0, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
    power = np.einsum("kchw,kchw->c", patches, patches, dtype=np.float64) * patches.shape[1] / patches.size
    patches /= np.where(power > 0, np.sqrt(power), 1.0).astype(np.float32)[:, None, None]
    return patches.reshape(len(patches), -1)


def sliced_w1(x: Pixels, y: Pixels, directions: NDArray[np.float64]) -> float:
    """Mean over unit directions (k, d) of W_1 between the projections of x (n, d) and y (m, d)."""
    gap, held = (_gap, HELD) if len(x) == len(y) else (_stepped(len(x), len(y)), HELD // 4)
    total = 0.0
    for start in range(0, len(directions), max(1, held)):
        some = directions[start : start + max(1, held)].astype(np.float32)
        a, b = some @ x.T, some @ y.T
        a.sort(axis=1)
        b.sort(axis=1)
        total += float(gap(a, b).sum())
    return total / len(directions)


def _gap(a: Pixels, b: Pixels) -> NDArray[np.float64]:
    """W_1 (k,) between ascending rows of a (k, n) and b (k, n)."""
    gap: NDArray[np.float64] = np.abs(a - b).mean(axis=1, dtype=np.float64)
    return gap


def _stepped(n: int, m: int) -> Callable[[Pixels, Pixels], NDArray[np.float64]]:
    """W_1 (k,) between ascending rows (k, n) and (k, m): `wae.divergences.wasserstein_1d`, but steps are found once.

    Both quantile functions are constant between the multiples of 1/n and 1/m, which are whole numbers of 1/(n m).
    """
    edges = np.sort(np.concatenate([np.arange(n) * m, np.arange(1, m + 1) * n]), kind="stable")
    of_a, of_b, width = edges[:-1] // m, edges[:-1] // n, np.diff(edges) / (n * m)
    return lambda a, b: np.abs(a.take(of_a, axis=1) - b.take(of_b, axis=1)) @ width
