"""Faces that the code draws from known factors; each factor is a label. No download, no licence, no real person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wae.data.canvas import Array
from wae.data.portrait import draw
from wae.runtime import seed_for

FACTORS: dict[str, tuple[str, ...]] = {
    "skin": ("porcelain", "fair", "tan", "brown", "dark"),
    "hair colour": ("black", "brown", "blond", "red", "grey"),
    "hair style": ("bald", "short", "bob", "long", "curly"),
    "mouth": ("neutral", "smile", "open"),
    "glasses": ("none", "glasses"),
    "pose": ("left", "centre", "right"),
    "light": ("left", "front", "right"),
    "background": ("blue", "green", "rose", "sand"),
}
"""A label column each, in this order; a label is the position of its value."""

SKIN = ((252, 222, 200), (240, 194, 160), (212, 160, 116), (158, 104, 68), (102, 66, 46))
HAIR = ((34, 29, 32), (92, 58, 36), (224, 188, 112), (172, 76, 36), (178, 178, 184))
IRIS = ((62, 36, 24), (96, 62, 36), (74, 108, 84), (74, 110, 152))
BACKGROUND = ((148, 186, 226), (152, 200, 156), (230, 176, 184), (226, 208, 166))

# One column per value of the factor "hair style". Hair behind the head: half-width, half-height, length below its
# centre, size of its curls. Hairline: height at the middle, fall to the sides. Then thickness on the skull, and gloss.
STYLES = {
    "mass": (0.0, 0.50, 0.60, 0.63, 0.72),
    "height": (0.0, 0.60, 0.66, 0.68, 0.74),
    "length": (0.0, 0.0, 0.50, 0.95, 0.10),
    "curls": (0.0, 0.0, 0.0, 0.0, 0.055),
    "hairline": (-2.0, -0.36, -0.24, -0.44, -0.34),
    "fall": (0.0, 1.1, 0.55, 2.6, 0.9),
    "thickness": (0.0, 0.06, 0.09, 0.07, 0.13),
    "gloss": (0.0, 0.20, 0.30, 0.30, 0.04),
}
# One column per value of the factor "mouth": half-width, rise of the corners, half-height of the opening.
MOUTHS = {"mouth": (0.135, 0.185, 0.125), "corners": (0.012, 0.08, 0.015), "opening": (0.0, 0.028, 0.075)}

# Properties without a label: middle and half-width of a uniform distribution, in half pictures or radians.
FREE = {
    "x": (0.0, 0.06),
    "y": (0.03, 0.05),
    "tilt": (0.0, 0.09),
    "above": (0.42, 0.12),  # how high the light stands
    "width": (0.455, 0.03),  # half the width of the head; its height is halved too
    "height_of_head": (0.60, 0.035),
    "jaw": (0.26, 0.10),  # how much narrower at the chin
    "eyes": (0.40, 0.04),  # how far apart
    "eye": (0.092, 0.010),
    "lids": (0.054, 0.012),  # how far open
    "gaze": (0.0, 0.018),
    "brows": (0.0, 0.10),  # their slope
    "brow_height": (0.135, 0.018),
    "nose": (0.20, 0.035),
    "nostrils": (0.068, 0.012),
    "lips": (0.030, 0.008),
    "parting": (0.0, 0.10),
    "blush": (0.10, 0.08),
    "lens": (0.15, 0.015),
}


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> None:
    """Draw `train` and `test` faces, each split from its own random stream, made from `seed`."""
    side = entry["shape"][-1]
    for split in ("train", "test"):
        images, labels = faces(entry[split], side, np.random.default_rng(seed_for("faces", entry["seed"], split)))
        np.save(folder / f"{split}.npy", images)
        np.save(folder / f"{split}-labels.npy", labels)


def faces(n: int, side: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`n` faces as uint8 (n, 3, side, side) and their factors as uint8 (n, 8), uniform and independent."""
    labels = np.stack([generator.integers(len(values), size=n) for values in FACTORS.values()], axis=1)
    sitters = jitter(labels, generator)
    images = np.empty((n, 3, side, side), np.uint8)
    for start in range(0, n, 32):  # a few megabytes at a time stay in the processor's cache
        chunk = slice(start, start + 32)
        images[chunk] = draw({name: value[chunk] for name, value in sitters.items()}, side)
    return images, labels.astype(np.uint8)


def jitter(labels: np.ndarray, generator: np.random.Generator) -> dict[str, Array]:
    """The input of `draw`: random values around those of the labels; numbers (n, 1, 1), colours (n, 3, 1, 1)."""
    n = len(labels)
    which = dict(zip(FACTORS, labels.T))

    def around(middle: Any, spread: float) -> Array:
        values: Array = (middle + spread * generator.uniform(-1, 1, n)).astype(np.float32)
        return values[:, None, None]

    def colour(middle: np.ndarray, spread: float) -> Array:
        brightness, tint = generator.uniform(-1, 1, (n, 1)), generator.uniform(-1, 1, (n, 3))
        mixed = middle / 255 + spread * (brightness + 0.4 * tint)
        return np.clip(mixed, 0.03, 1).astype(np.float32)[:, :, None, None]

    styles = {name: around(np.asarray(row)[which["hair style"]], 0.025 * bool(row[2])) for name, row in STYLES.items()}
    mouths = {name: around(np.asarray(row)[which["mouth"]], 0.008) for name, row in MOUTHS.items()}
    return {
        "skin": colour(np.array(SKIN)[which["skin"]], 0.035),
        "hair": colour(np.array(HAIR)[which["hair colour"]], 0.045),
        "background": colour(np.array(BACKGROUND)[which["background"]], 0.06),
        "iris": colour(np.array(IRIS)[generator.integers(len(IRIS), size=n)], 0.05),
        "shirt": colour(generator.uniform(45, 225, (n, 3)), 0.12),
        "glasses": around(which["glasses"], 0.0),
        "yaw": around((which["pose"] - 1) * 0.48, 0.14),
        "light": around((which["light"] - 1) * 0.75, 0.15),
        **styles,
        **mouths,
        **{name: around(middle, spread) for name, (middle, spread) in FREE.items()},
    }
