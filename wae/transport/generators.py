"""Objectives and generator networks: which networks each objective can train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wae.io import read_arrays, read_json
from wae.transport.canvas import BLUE, GREEN, ORANGE, PURPLE

METRIC = "fd_classifier"
SIDE = 5  # samples along each side of a model's mosaic
REAL = "data"


def numbers(options: Mapping[str, Any], generator: torch.Generator, files: Sequence[Path]) -> pd.DataFrame:
    """The Frechet distance and sharpness of every run, and of real images, with `data` as their objective.

    Args:
        files: metrics.json of real images, then of each run, in <objective>-<network>/<seed>/.
    """
    real, *runs = [file for file in files if file.name == "metrics.json"]
    rows = [{"objective": REAL, "network": "", "seed": "", **_measured(real)}]
    for file in runs:
        objective, network = file.parts[-3].split("-", 1)
        rows.append({"objective": objective, "network": network, "seed": file.parts[-2], **_measured(file)})
    return pd.DataFrame(rows)


def _measured(file: Path) -> dict[str, float]:
    return {metric: read_json(file)[metric]["value"] for metric in (METRIC, "sharpness")}


def draw(table: pd.DataFrame, files: Sequence[Path]) -> Figure:
    """Samples of the first seed's models, a row per objective, a column per network; below, all seeds' distances."""
    models = table[table["objective"] != REAL]
    objectives, networks = list(models["objective"].unique()), list(models["network"].unique())
    figure = Figure(figsize=(2.1 * len(networks), 2.3 * len(objectives) + 2.6), layout="constrained")
    grid = figure.add_gridspec(len(objectives) + 1, len(networks), height_ratios=[1] * len(objectives) + [1.1])
    images = {file.parts[-3]: file for file in files if file.name == "images.npz"}
    for row, objective in enumerate(objectives):
        for column, network in enumerate(networks):
            axes = figure.add_subplot(grid[row, column])
            picture = mosaic(read_arrays(images[f"{objective}-{network}"])["samples"], SIDE)
            axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axes.set(xticks=[], yticks=[], title=f"{objective}, {network}")
    _distances(figure.add_subplot(grid[len(objectives), :]), table, objectives, networks)
    figure.suptitle("One objective, several generators: which can it train?", x=0.01, ha="left", fontsize=11)
    return figure


def _distances(axes: Axes, table: pd.DataFrame, objectives: Sequence[str], networks: Sequence[str]) -> None:
    """Plot one dot per seed and a line at the median."""
    for index, (objective, colour) in enumerate(zip(objectives, (ORANGE, BLUE, GREEN, PURPLE), strict=False)):
        of = table[table["objective"] == objective]
        at = of["network"].map({name: place for place, name in enumerate(networks)})
        offset = (index - (len(objectives) - 1) / 2) * 0.24
        middle = of.groupby("network")[METRIC].median().loc[list(networks)]
        ends = np.arange(len(networks)) + offset
        axes.hlines(middle, ends - 0.1, ends + 0.1, color=colour, linewidth=2.5)
        axes.scatter(at + offset, of[METRIC], color=colour, edgecolor="white", s=34, zorder=3, label=objective)
    real = table.loc[table["objective"] == REAL, METRIC].iloc[0]
    axes.axhline(real, color="black", linestyle="--", linewidth=1.2, label="real images")
    axes.set_title("Frechet distance in the classifier's features (line: median; dots: seeds)")
    axes.set(xticks=range(len(networks)), xticklabels=networks, yscale="log", ylabel="lower is better")
    axes.grid(visible=False, axis="x")
    axes.margins(y=0.15)
    axes.legend(loc="upper left", ncols=len(objectives) + 1)


def mosaic(images: np.ndarray, side: int) -> np.ndarray:
    """The first side^2 of images (n, c, h, w) as one picture (side h, side w) or (side h, side w, 3)."""
    _, channels, height, width = images.shape
    tiles = images[: side * side].reshape(side, side, channels, height, width)
    picture = tiles.transpose(0, 3, 1, 4, 2).reshape(side * height, side * width, channels)
    return picture[..., 0] if channels == 1 else picture
