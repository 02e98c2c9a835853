"""Estimates of W_2 from its slices: their average times sqrt(d), times a constant that depends on the average."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from torch import Tensor

from wae.divergences import random_directions, slices
from wae.transport.canvas import panels

FACTOR = 1.22
CASES = {"shift": "Shift of 1 in every coordinate", "scale": "Twice as wide"}
AVERAGES = {"mean": r"$1.22\sqrt{d}\;\times$ mean slice", "square": r"$\sqrt{d}\;\times$ root of mean square"}


def shift_factor(d: int) -> float:
    """W_2 / (sqrt(d) * mean slice) of a shift: 1 / (sqrt(d) E |theta_1|), 1.111 at d = 2, rising to sqrt(pi / 2)."""
    return math.sqrt(math.pi / d) * math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))


def estimates(squares: Tensor, d: int) -> dict[str, Tensor]:
    """Estimates (r,) of W_2, one for each of `AVERAGES`, from the W_2^2 (r, L) of r sets of L slices."""
    root = math.sqrt(d)
    return {"mean": FACTOR * root * squares.sqrt().mean(1), "square": root * squares.mean(1).sqrt()}


def numbers(options: Mapping[str, Any], generator: torch.Generator) -> pd.DataFrame:
    """W_2 of two Gaussians in closed form, and its estimates from the slices of their samples.

    N(0, I) is compared with N(1, I), a shift of 1 in every coordinate, and with N(0, 4 I). W_2 = sqrt(d) for both.
    """
    n, repeats, most = options["points"], options["repeats"], max(options["slices"])
    rows = []
    for d in options["dimensions"]:
        x, y = torch.randn(2, n, d, generator=generator)
        theta = random_directions(repeats * most, d, generator)
        for case, moved in (("shift", y + 1), ("scale", 2 * y)):
            squares = slices(x, moved, theta).view(repeats, most).double()
            for count in options["slices"]:
                for average, of in estimates(squares[:, :count], d).items():
                    told = {"case": case, "average": average, "d": d, "slices": count, "w2": math.sqrt(d)}
                    rows += [{**told, "repeat": index, "estimate": float(value)} for index, value in enumerate(of)]
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> Figure:
    """Both estimates divided by W_2: one line per number of slices, and a band over sets of directions."""
    table = table.assign(ratio=table["estimate"] / table["w2"])
    cells = [(case, average) for case in CASES for average in AVERAGES]
    titles = [f"{CASES[case]}:\n{AVERAGES[average]}" for case, average in cells]
    heading = "$W_2$ of two Gaussians as slices tell it (line: median, band: range)"
    figure, axes = panels(titles, heading, rows=2, side=3.6)
    for one, (case, average) in zip(axes, cells, strict=True):
        _ratios(one, table[(table["case"] == case) & (table["average"] == average)])
    dimensions = sorted(table["d"].unique())
    expected = [FACTOR / shift_factor(d) for d in dimensions]
    axes[0].plot(dimensions, expected, color="black", linestyle=":", linewidth=1.5, label="closed form")
    axes[0].legend(title="slices", fontsize=8, ncols=2)
    return figure


def _ratios(axes: Axes, table: pd.DataFrame) -> None:
    counts, dimensions = sorted(table["slices"].unique()), sorted(table["d"].unique())
    for count, colour in zip(counts, sns.color_palette("colorblind", len(counts)), strict=True):
        by = table[table["slices"] == count].groupby("d")["ratio"]
        axes.fill_between(dimensions, by.min(), by.max(), color=colour, alpha=0.15, linewidth=0)
        axes.plot(dimensions, by.median(), color=colour, linewidth=1.5, marker="o", markersize=3, label=f"{count}")
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel="dimension d", ylabel="estimate / $W_2$", ylim=(0.5, 1.6), xticks=dimensions)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.minorticks_off()
