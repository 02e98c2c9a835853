"""Kantorovich's plans may split mass, Monge's maps may not; for equal weights and for densities they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from wae.transport.canvas import BLUE, GREY, ORANGE, normal, panels, parts, plane, points, segments
from wae.transport.exact import exact_plan

# Symmetric and positive: the map x -> SCALE x + SHIFT is the gradient of a convex function.
SCALE = torch.tensor([[1.5, 0.5], [0.5, 0.5]], dtype=torch.float64)
SHIFT = torch.tensor([6.0, 0.0], dtype=torch.float64)


def monge(x: Tensor) -> Tensor:
    """Monge's map (n, 2) from N(0, I) to N(SHIFT, SCALE^2): the gradient of a convex function (Brenier 1991)."""
    return x @ SCALE + SHIFT


def example(part: str, x: Tensor, y: Tensor) -> pd.DataFrame:
    """Points and plan of one example: rows `<part>.x`, `<part>.y` and `<part>.plan`."""
    plan, cost = exact_plan(x, y)
    i, j = plan.nonzero().T
    moved = points(x[i], y[j], part=f"{part}.plan", source=i + 1, target=j + 1, mass=plan[i, j], cost=cost)
    return pd.concat([points(x, part=f"{part}.x"), points(y, part=f"{part}.y"), moved])


def numbers(options: Mapping[str, Any], generator: torch.Generator) -> pd.DataFrame:
    """Three examples: as many targets as sources, half as many again, and two Gaussian samples with Monge's map."""
    few, many = options["few"], options["many"]
    x, target = normal(generator, few, 2), 0.8 * normal(generator, few + few // 2, 2) + SHIFT * (3.5 / 6)
    gauss, other = normal(generator, many, 2), monge(normal(generator, many, 2))
    plan, cost = exact_plan(gauss, other)
    reached, mapped = many * plan @ other, monge(gauss)
    ends = {"plan_x": reached[:, 0], "plan_y": reached[:, 1], "cost": cost}
    compared = points(gauss, mapped, part="gaussian.map", **ends)
    tables = [example("equal", x, target[:few]), example("split", x, target), points(gauss, part="gaussian.x")]
    return pd.concat([*tables, points(other, part="gaussian.y"), compared], ignore_index=True)


def draw(table: pd.DataFrame) -> Figure:
    """Three plans: a permutation, a plan that is not a map, and a plan beside the map that it estimates."""
    of = parts(table)
    titles = ["As many points, equal weights:\nthe plan is a map", "Half as many targets again:\nmass splits, no map"]
    titles += ["Samples of two Gaussians:\nthe plan between them", "The plan as a matrix", "The plan as a matrix"]
    titles += ["End points: the plan's beside\nthose of Monge's map of the densities"]
    heading = "Kantorovich's plans (lines, exact linear programme) and Monge's maps, cost $|x - y|^2$"
    figure, axes = panels(titles, heading, rows=2, side=3.6)
    for index, name in enumerate(("equal", "split")):
        segments(axes[index], of[f"{name}.plan"], color=GREY, linewidth=1.2)
        _clouds(axes[index], of, name, 30)
        _matrix(axes[index + 3], of[f"{name}.plan"])
    compared = of["gaussian.map"]
    segments(axes[2], compared.assign(to_x=compared["plan_x"], to_y=compared["plan_y"]), color=GREY, linewidth=0.3)
    _clouds(axes[2], of, "gaussian", 5)
    for axis, colour, label in (("x", BLUE, "horizontal"), ("y", ORANGE, "vertical")):
        axes[5].scatter(compared[f"to_{axis}"], compared[f"plan_{axis}"], s=6, color=colour, label=label)
    ends = [compared[["to_x", "to_y"]].min().min(), compared[["to_x", "to_y"]].max().max()]
    axes[5].plot(ends, ends, color="black", linewidth=0.8)
    axes[5].set(xlabel="where Monge's map sends a point", ylabel="where the plan sends it")
    axes[5].legend(title="coordinate")
    return figure


def _clouds(axes: Axes, of: Mapping[str, pd.DataFrame], name: str, size: float) -> None:
    for side, colour, marker, label in (("x", BLUE, "o", "sources"), ("y", ORANGE, "s", "targets")):
        cloud = of[f"{name}.{side}"]
        axes.scatter(cloud["x"], cloud["y"], color=colour, marker=marker, s=size, zorder=3, label=label)
    plane(axes)
    axes.legend(loc="best", fontsize=8)


def _matrix(axes: Axes, plan: pd.DataFrame) -> None:
    """Masses as areas; a row is a source, a column a target."""
    axes.scatter(plan["target"], plan["source"], s=60 * plan["mass"] / plan["mass"].max(), color=GREY, marker="s")
    targets, sources = int(plan["target"].max()), int(plan["source"].max())
    axes.set(xlabel="target", ylabel="source (area: mass)", xlim=(0.3, targets + 0.7), ylim=(sources + 0.7, 0.3))
    axes.set(xticks=range(1, targets + 1), yticks=range(1, sources + 1))
