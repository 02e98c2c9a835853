"""Sliced distances to a Gaussian that moves away: the mean over slices, the best slice and curved slices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure

from wae.divergences import (
    Circular,
    Defining,
    Linear,
    Neural,
    Polynomial,
    bures_wasserstein,
    generalized_sliced_wasserstein,
    max_sliced_wasserstein,
    random_directions,
)
from wae.transport.canvas import BLUE, GREEN, ORANGE, PURPLE, normal, panels

NAMES = {
    "exact": "$W_2$, closed form", "max": "best slice: max-SW", "linear": "mean slice: SW",
    "circular": "circular slices", "polynomial": "polynomial slices", "neural": "neural slices",
}  # fmt: skip
COLOURS = {
    "exact": "black", "max": GREEN, "linear": BLUE, "circular": ORANGE, "polynomial": PURPLE, "neural": GREEN,
}  # fmt: skip
DASHES: dict[str, Any] = {"exact": "--", "circular": "-.", "polynomial": (0, (5, 1)), "neural": ":"}


def numbers(options: Mapping[str, Any], generator: torch.Generator) -> pd.DataFrame:
    """Square roots of the distances of order 2 at each shift, all from the same two samples and slices."""
    d, n = options["dimension"], options["points"]
    x, y = normal(generator, 2, n, d)
    families: dict[str, Defining] = {
        "linear": Linear(),
        "circular": Circular(radius=options["radius"]),
        "polynomial": Polynomial(degree=options["degree"]),
        "neural": Neural(units=options["units"]),
    }
    theta = {name: random_directions(options["slices"], of.size(d), generator) for name, of in families.items()}
    start, identity, rows = torch.zeros(d, dtype=torch.float64), torch.eye(d, dtype=torch.float64), []
    for shift in options["shifts"]:
        mean = shift * identity[0]
        squares = {name: generalized_sliced_wasserstein(x, y + mean, theta[name], of) for name, of in families.items()}
        squares["max"] = max_sliced_wasserstein(x, y + mean)
        squares["exact"] = bures_wasserstein(start, identity, mean, identity)
        # Rounding can make a zero slightly negative.
        rows += [{"distance": name, "shift": shift, "value": max(float(of), 0) ** 0.5} for name, of in squares.items()]
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> Figure:
    """Left: distances in the samples' unit. Right: each distance divided by its value at the largest shift."""
    last = table[table["shift"] == table["shift"].max()].set_index("distance")["value"]
    table = table.assign(share=table["value"] / table["distance"].map(last))
    titles = ["Planes as slices", "Curved slices beside planes, each in its own unit"]
    heading = "A Gaussian moves away: the best slice sees the whole way, the mean slice a share of it"
    figure, axes = panels(titles, heading, side=4.4)
    drawn = (
        (axes[0], "value", ("exact", "max", "linear")),
        (axes[1], "share", ("linear", "circular", "polynomial", "neural")),
    )
    for one, column, names in drawn:
        for name in names:
            of = table[table["distance"] == name]
            style = {"color": COLOURS[name], "linestyle": DASHES.get(name, "-"), "linewidth": 1.8}
            one.plot(of["shift"], of[column], label=NAMES[name], **style)
        one.set_xlabel("shift of one Gaussian, in its standard deviations")
        one.legend()
    axes[0].set_ylabel("distance of order 2, in standard deviations")
    axes[1].set_ylabel("share of the value at the largest shift")
    return figure
