"""Panels, colours and points: what the figures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, GREY, YELLOW, SKY = sns.color_palette("colorblind", 10)


def panels(titles: Sequence[str], heading: str, *, rows: int = 1, side: float = 3.6) -> tuple[Figure, list[Axes]]:
    """A figure of near-square panels of `side` inches, row by row, each with its title, under one heading."""
    columns = len(titles) // rows
    figure = Figure(figsize=(side * columns, side * rows + 0.4), layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(rows, columns)).ravel())
    for one, title in zip(axes, titles, strict=True):
        one.set_title(title)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=11)
    return figure, axes


def plane(axes: Axes, adjustable: Literal["box", "datalim"] = "datalim") -> None:
    """Give both axes the same scale and remove their numbers, since only positions matter.

    Args:
        adjustable: what changes for the same scale: the limits of the data, or the panel's shape.
    """
    axes.set_aspect("equal", adjustable=adjustable)
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])


def segments(axes: Axes, rows: pd.DataFrame, **style: Any) -> None:
    """A line for each row, from (x, y) to (to_x, to_y)."""
    axes.plot(rows[["x", "to_x"]].to_numpy().T, rows[["y", "to_y"]].to_numpy().T, **style)


def points(of: Tensor, to: Tensor | None = None, **columns: Any) -> pd.DataFrame:
    """Rows with x, y of points (n, 2), to_x, to_y of their targets `to`, and more columns."""
    ends = {} if to is None else {"to_x": to[:, 0], "to_y": to[:, 1]}
    values = {**columns, "x": of[:, 0], "y": of[:, 1], **ends}
    return pd.DataFrame({name: value.numpy() if isinstance(value, Tensor) else value for name, value in values.items()})


def parts(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each kind, by the column `part`."""
    return {str(name): rows for name, rows in table.groupby("part")}


def grid(low: float, high: float, side: int) -> Tensor:
    """The points (side^2, 2) of a square grid, row by row."""
    line = torch.linspace(low, high, side, dtype=torch.float64)
    return torch.cartesian_prod(line, line).flip(1)


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Standard normal numbers in float64."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
