"""Pictures: image grids, training curves and bars. No torch, and the same input gives the same bytes."""

from wae.figures.grids import DRAWINGS, interpolations, overview, reconstructions, samples, write_grids
from wae.figures.plots import bars, curves
from wae.figures.style import save

__all__ = [
    "DRAWINGS",
    "bars",
    "curves",
    "interpolations",
    "overview",
    "reconstructions",
    "samples",
    "save",
    "write_grids",
]
