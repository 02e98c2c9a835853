"""One style for every figure. The user's own matplotlib settings have no effect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

from wae.io import write_with

DPI = 128  # a power of two: pixels / DPI * DPI is exact, so that a picture's pixels are the figure's pixels
INK = "#262626"
RULES: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # part of matplotlib: other fonts could change the bytes elsewhere
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.axisbelow": True,
    "axes.edgecolor": "#8c8c8c",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


@contextmanager
def styled() -> Iterator[None]:
    """The context in which to draw and to save: fonts are looked up only when a figure is saved."""
    with matplotlib.style.context(["default", RULES]):
        yield


def save(figure: Figure, path: Path) -> None:
    """Write a PNG at `DPI`, without date and software in its metadata."""
    with styled():
        write_with(path, lambda file: figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None}))
