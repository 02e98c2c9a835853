"""Whether samples are copies: generated images compared with the nearest training images."""

from __future__ import annotations

import mmap

import numpy as np
from numpy.typing import NDArray

from wae.metrics.checks import Features, pair
from wae.metrics.distances.neighbours import nearest

HELD = 1 << 22  # pixels of training images held at once as floats: 32 MiB


def authenticity(training: Features, fake: Features) -> float:
    """Share of fake samples that are authentic (Alaa et al. 2022, section 3.3; "AuthPct").

    A sample is not authentic if it is at most as far from its nearest training sample as that one is from any other
    training sample: a copy, perhaps with noise. Samples far from all data are also authentic, so a larger share is not
    always better. Unseen real samples show the usual share.
    """
    x, y = pair(training, fake)
    sources, distances = nearest(y, x, 1)
    copied, inverse = np.unique(sources[:, 0], return_inverse=True)
    # The two nearest to a training sample are itself, at exactly 0, and the nearest other, at 0 for a duplicate.
    room = nearest(x[copied], x, 2)[1].max(axis=1)
    return float((distances[:, 0] > room[inverse]).mean())


def nearest_images(images: np.ndarray, training: np.ndarray) -> NDArray[np.intp]:
    """Index (n,) of the training image nearest to each image, by its pixels; the first of equally near ones.

    Squared distances of bytes are whole numbers far below 2^53, so float64 sums are exact in any order.

    Args:
        images: uint8 (n, c, h, w).
        training: uint8 (m, c, h, w), all of which are looked at; it may be memory-mapped.
    """
    x = images.reshape(len(images), -1).astype(np.float64)
    least, found = np.full(len(x), np.inf), np.zeros(len(x), dtype=np.intp)
    step = max(1, HELD // x.shape[1])
    for start in range(0, len(training), step):
        y = np.asarray(training[start : start + step]).reshape(-1, x.shape[1]).astype(np.float64)
        distances = np.square(y).sum(axis=1) - 2.0 * (x @ y.T)  # without |x|^2, which is constant in a row
        here = distances.argmin(axis=1)
        nearer = distances.min(axis=1) < least
        least[nearer], found[nearer] = distances.min(axis=1)[nearer], start + here[nearer]
        let_go(training)
    return found


def let_go(images: object) -> None:
    """Release the pages of a mapped file; all of CelebA, 2 GiB, would stay in memory until others need the space."""
    while isinstance(images, np.ndarray):
        images = images.base
    if isinstance(images, mmap.mmap):
        images.madvise(mmap.MADV_DONTNEED)
