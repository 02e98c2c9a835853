"""Grids of images. Each image pixel becomes an exact square of the figure's pixels.

Images are uint8, (n, c, h, w) with c = 1 (grey) or 3 (RGB), as evaluation stores them in images.npz.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from wae.figures.plane import latent
from wae.figures.style import DPI, INK, save, styled
from wae.io import read_arrays

COLUMNS = 8
SIDE = 96  # an image is enlarged by a whole factor to at least this many pixels
GAP, PAIR_GAP = 4, 16
MARGIN, LETTER, HEAD, STRIP = 16, 9, 44, 26  # pixels: margin; a label's letter; title; arrow of interpolations
Images = Mapping[str, np.ndarray]


def samples(images: Images, title: str) -> Figure:
    """Up to 64 generated images, eight per row."""
    return _figure(_rows(images["samples"][: COLUMNS**2]), f"{title}: samples")


def expost(images: Images, title: str) -> Figure:
    """Up to 64 images, eight per row, decoded from a mixture fitted to codes instead of the prior."""
    return _figure(_rows(images["expost"][: COLUMNS**2]), f"{title}: samples, codes from a fitted mixture")


def reconstructions(images: Images, title: str) -> Figure:
    """Held-out originals, and right below each row its reconstructions."""
    originals, models = _rows(images["originals"]), _rows(images["reconstructions"])
    pairs = np.stack([originals, models], axis=1).reshape(-1, *originals.shape[1:])
    labels = ["original", "model"] * len(originals)
    return _figure(pairs, f"{title}: held-out images and their reconstructions", labels=labels, every=2)


def nearest(images: Images, title: str) -> Figure:
    """Generated images, and right below each row the training images nearest to them."""
    found = _rows(images["nearest"])
    pairs = np.stack([_rows(images["samples"][: len(images["nearest"])]), found], axis=1).reshape(-1, *found.shape[1:])
    labels = ["sample", "training"] * len(found)
    return _figure(pairs, f"{title}: samples, and the training images nearest in pixels", labels=labels, every=2)


def interpolations(images: Images, title: str) -> Figure:
    """One row per pair of held-out images: decoded codes from the code of the first to the code of the second."""
    tiles = images["interpolations"]
    figure = _figure(tiles, f"{title}: between the codes of two held-out images", strip=STRIP)
    width, height = figure.get_size_inches() * DPI
    tile = tiles.shape[-1] * _scale(tiles)
    first, second, y = (MARGIN + tile / 2) / width, 1 - (MARGIN + tile / 2) / width, 1 - (HEAD + STRIP / 2) / height
    for x, text in ((first, "first code"), (second, "second code")):
        figure.text(x, y, text, ha="center", va="center", fontsize=9)
    between = (first + 0.55 * tile / width, y), (second - 0.55 * tile / width, y)
    figure.add_artist(FancyArrowPatch(*between, arrowstyle="-|>", mutation_scale=10, color=INK, linewidth=1))
    return figure


DRAWINGS: dict[str, Callable[[Images, str], Figure]] = {
    "samples": samples,
    "nearest": nearest,
    "reconstructions": reconstructions,
    "interpolations": interpolations,
    "expost": expost,
    "latent": latent,
}


def write_grids(images_npz: Path, title: str, outs: Mapping[str, Path]) -> None:
    """Draw the pictures that `outs` names, each to its path.

    Raises:
        ValueError: `outs` has a name that is not in DRAWINGS, or the file does not hold its images, for example
            reconstructions of a model without an encoder.
    """
    images = read_arrays(images_npz)
    for name, path in outs.items():
        if name not in DRAWINGS:
            raise ValueError(f"no picture is called {name!r}; it is one of {', '.join(DRAWINGS)}")
        if name not in images:
            raise ValueError(f"{images_npz}: holds no {name}, only {', '.join(images)}; has the model an encoder?")
        with styled():
            save(DRAWINGS[name](images, title), path)


def overview(files: Mapping[str, Path], title: str, out: Path) -> None:
    """Draw one row of samples for each label -> images.npz: real images and every model, one below the other."""
    rows = np.concatenate([_rows(read_arrays(path)["samples"][:COLUMNS]) for path in files.values()])
    with styled():
        save(_figure(rows, f"{title}: samples", labels=list(files)), out)


def _rows(images: np.ndarray) -> np.ndarray:
    """(n, c, h, w) -> (rows, COLUMNS, c, h, w), the last row filled up with white."""
    missing = -len(images) % COLUMNS
    padded = np.concatenate([images, np.full((missing, *images.shape[1:]), 255, np.uint8)])
    return padded.reshape(-1, COLUMNS, *images.shape[1:])


def _scale(tiles: np.ndarray) -> int:
    return math.ceil(SIDE / max(map(int, tiles.shape[-2:])))


def _tops(rows: int, tile: int, every: int) -> list[int]:
    """The top of each row, in pixels. After each block of `every` rows, if more than one, the gap is wider."""
    wider = (PAIR_GAP - GAP) * (every > 1)
    return [row * (tile + GAP) + row // every * wider for row in range(rows)]


def _mosaic(tiles: np.ndarray, every: int) -> np.ndarray:
    """(rows, columns, c, h, w) -> (height, width, 3) on white."""
    if tiles.dtype != np.uint8 or tiles.ndim != 5 or tiles.shape[2] not in (1, 3):
        raise ValueError(f"images are {tiles.dtype} of shape {tiles.shape[-3:]}; uint8 of 1 or 3 x h x w expected")
    big = tiles.repeat(_scale(tiles), axis=-2).repeat(_scale(tiles), axis=-1)
    rows, columns, _, h, w = big.shape
    tops = _tops(rows, h, every)
    canvas = np.full((tops[-1] + h, columns * (w + GAP) - GAP, 3), 255, np.uint8)
    for row, top in enumerate(tops):
        for column in range(columns):
            left = column * (w + GAP)
            canvas[top : top + h, left : left + w] = big[row, column].transpose(1, 2, 0)  # grey spreads to RGB
    return canvas


def _figure(tiles: np.ndarray, title: str, labels: Sequence[str] = (), every: int = 1, strip: int = 0) -> Figure:
    mosaic = _mosaic(tiles, every)
    left = MARGIN + (LETTER * max(map(len, labels)) + MARGIN if labels else 0)
    width, height = left + mosaic.shape[1] + MARGIN, HEAD + strip + mosaic.shape[0] + MARGIN
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    figure.figimage(mosaic, xo=left, yo=MARGIN)  # pixel by pixel: axes would resample
    figure.text(left / width, 1 - HEAD / 2 / height, title, ha="left", va="center", fontsize=11)
    tile = tiles.shape[-2] * _scale(tiles)
    for label, top in zip(labels, _tops(len(labels), tile, every)):
        y = 1 - (HEAD + strip + top + tile / 2) / height
        figure.text((left - 10) / width, y, label, ha="right", va="center", fontsize=9)
    return figure
