"""Scikit-learn's real handwritten digits (8x8, values 0 to 16), enlarged to look like MNIST's. No download."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

# A pixel's value is the number of black dots in 4x4 scanned dots, so an enlarged stroke has soft edges. These limits,
# as fractions of 16, make them sharp. The mean is then 0.18 of white; in MNIST, with thinner pens, it is 0.13.
FAINT, FULL = 0.30, 0.80


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> None:
    """Write the first `train` of the 1,797 digits as training images, and the others as test images.

    The rows are sorted by writer. So the test writers are not in the training set, except the one at the border. A
    shuffled split would have every writer on both sides.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.stack([enlarge(digit, entry["shape"][-1]) for digit in digits.images])[:, None]
    labels = digits.target.astype(np.uint8)[:, None]
    for split, rows in (("train", slice(None, entry["train"])), ("test", slice(entry["train"], None))):
        np.save(folder / f"{split}.npy", images[rows])
        np.save(folder / f"{split}-labels.npy", labels[rows])


def enlarge(digit: np.ndarray, side: int) -> np.ndarray:
    """An 8x8 digit (0 to 16) as uint8 (side, side), white on black, with a margin of a tenth as in MNIST."""
    framed = np.pad(digit / 16, 1).astype(np.float32)
    large = np.asarray(Image.fromarray(framed).resize((side, side), Image.Resampling.LANCZOS))
    return np.rint(np.clip((large - FAINT) / (FULL - FAINT), 0, 1) * 255).astype(np.uint8)
