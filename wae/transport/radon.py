"""Radon slices of a density in the plane, and the bound of sliced distances by exact ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from wae.divergences import sliced_wasserstein
from wae.transport.canvas import BLUE, GREEN, ORANGE, PURPLE, RED, grid, normal, panels, parts, plane, points
from wae.transport.exact import exact_plan

WEIGHTS = torch.tensor([0.45, 0.35, 0.2], dtype=torch.float64)
MEANS = torch.tensor([[-1.2, -0.6], [1.3, -0.3], [0.1, 1.5]], dtype=torch.float64)
DEVIATIONS = torch.tensor([0.5, 0.35, 0.3], dtype=torch.float64)
REACH = 3.0


def alpha(d: int, p: float) -> float:
    """The least alpha with SW_p^p <= alpha W_p^p in R^d: E |<u, theta>|^p, |u| = 1, so 1/d at p = 2.

    The optimal plan of W_p gives a plan for every slice; a pair (x, y) then costs alpha |x - y|^p on average (Bonnotte
    2013, proposition 5.1.3). A shift attains the bound.
    """
    return math.gamma(d / 2) * math.gamma((p + 1) / 2) / (math.sqrt(math.pi) * math.gamma((d + p) / 2))


def density(x: Tensor) -> Tensor:
    """The mixture's density (n,) at points (n, 2)."""
    squares = (x[:, None] - MEANS).square().sum(2) / (2 * DEVIATIONS.square())
    return (WEIGHTS * (-squares).exp() / (2 * math.pi * DEVIATIONS.square())).sum(1)


def radon(theta: Tensor, t: Tensor) -> Tensor:
    """The density's integral (n,) over the lines <x, theta> = t (n,): slices of Gaussians are Gaussians."""
    squares = (t[:, None] - MEANS @ theta).square() / (2 * DEVIATIONS.square())
    return (WEIGHTS * (-squares).exp() / (math.sqrt(2 * math.pi) * DEVIATIONS)).sum(1)


def along(degrees: Tensor) -> Tensor:
    """Unit vectors (k, 2) at angles (k,) in degrees."""
    angles = degrees * (math.pi / 180)
    return torch.stack([angles.cos(), angles.sin()], 1)


def tried(options: Mapping[str, Any], generator: torch.Generator) -> pd.DataFrame:
    """W_p^p and SW_p^p of pairs of samples: a quarter differ by a shift alone, the rest by shift, shape and noise."""
    n, k = options["points"], options["directions"]
    theta, rows = along(torch.arange(k, dtype=torch.float64) * (180 / k)), []
    for index in range(options["pairs"]):
        x, other = normal(generator, 2, n, 2)
        shift, shape = 2 * normal(generator, 2), normal(generator, 2, 2)
        part, y = ("shift", x + shift) if index % 4 == 0 else ("shape", other @ shape + shift)
        for p in (1, 2):
            sliced = float(sliced_wasserstein(x, y, theta, p))
            rows.append({"part": part, "p": p, "exact": exact_plan(x, y, p)[1], "sliced": sliced, "alpha": alpha(2, p)})
    return pd.DataFrame(rows)


def numbers(options: Mapping[str, Any], generator: torch.Generator) -> pd.DataFrame:
    """The density on a grid, its slices, and both distances of pairs of samples."""
    where, t = grid(-REACH, REACH, 61), torch.linspace(-REACH, REACH, 121, dtype=torch.float64)
    tables = [points(where, part="density", value=density(where))]
    for angle, theta in zip(options["angles"], along(torch.tensor(options["angles"]).double()), strict=True):
        tables.append(pd.DataFrame({"part": "slice", "angle": angle, "t": t, "value": radon(theta, t)}))
    return pd.concat([*tables, tried(options, generator)], ignore_index=True)


def draw(table: pd.DataFrame) -> Figure:
    """The density with its directions, the slices, and sliced against exact distances."""
    of = parts(table)
    titles = ["A density, and directions", "Its slices: mass over lines across them", r"$SW_p^p \leq \alpha\,W_p^p$"]
    heading = "Radon slices turn one hard problem into many that sorting solves"
    figure, (left, middle, right) = panels(titles, heading, side=3.9)
    surface = of["density"].pivot(index="y", columns="x", values="value")
    left.contourf(surface.columns, surface.index, surface, levels=8, cmap="Greys")
    for (angle, curve), colour in zip(of["slice"].groupby("angle"), (BLUE, ORANGE, GREEN, PURPLE, RED), strict=False):
        x, y = (2.6 * along(torch.tensor([float(str(angle))])))[0].tolist()
        arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2}
        left.annotate("", (x, y), (-x, -y), arrowprops=arrow)
        middle.plot(curve["t"], curve["value"], color=colour, linewidth=1.8, label=f"{angle:g}°")
    plane(left, "box")
    middle.set(xlabel=r"position along the direction, $\langle x, \theta\rangle$", ylabel="density of the slice")
    middle.set_ylim(0, 1.25 * of["slice"]["value"].max())
    middle.legend(title="direction", ncols=3, loc="upper center")
    _inequality(right, pd.concat([of["shift"], of["shape"]]))
    return figure


def _inequality(axes: Axes, pairs: pd.DataFrame) -> None:
    axes.axhline(1, color="black", linewidth=1.2, label="the bound")
    for p, colour in ((1, BLUE), (2, ORANGE)):
        for part, marker, what in (("shift", "D", "a shift"), ("shape", "o", "shift and shape")):
            of = pairs[(pairs["p"] == p) & (pairs["part"] == part)]
            ratio, label = of["sliced"] / (of["alpha"] * of["exact"]), f"p = {p}, {what}"
            axes.scatter(of["exact"], ratio, color=colour, marker=marker, s=20, edgecolor="white", label=label)
    factors = ", ".join(f"{of:.3f} (p = {p:g})" for p, of in pairs.groupby("p")["alpha"].first().items())
    axes.set(xlabel=rf"$W_p^p$, exact;  $\alpha$ = {factors}", ylabel=r"$SW_p^p\;/\;\alpha\,W_p^p$", xscale="log")
    axes.set_ylim(0, 1.2)
    axes.legend(loc="lower right")
