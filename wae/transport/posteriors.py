"""Posteriors in a plane of codes: a VAE pulls each to the prior, so they overlap; a WAE pulls only their mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from torch import Tensor

from wae.transport.canvas import panels

REACH = 3.6
MEANS, DEVIATIONS = ["mean_1", "mean_2"], ["deviation_1", "deviation_2"]


def taken(means: Tensor, deviations: Tensor, draws: int, generator: torch.Generator) -> float:
    """Share of codes, drawn from Gaussian posteriors (n, d), that are likelier under another image's posterior.

    0 where posteriors do not overlap; at most 1 - 1/n, where all are the same.

    Args:
        deviations: positive.
        draws: codes from each posterior.
    """
    noise = torch.randn(draws, *means.shape, generator=generator, dtype=means.dtype)
    codes = (means + deviations * noise).flatten(0, 1)
    likelihood = -((codes[:, None] - means) / deviations).square().sum(2) / 2 - deviations.log().sum(1)
    own = torch.arange(len(means)).repeat(draws)
    return float((likelihood.argmax(1) != own).double().mean())


def numbers(options: Mapping[str, Any], generator: torch.Generator, files: Sequence[Path]) -> pd.DataFrame:
    """Posteriors of some images, the same of every run, and each run's share `taken` of codes likelier under another.

    Args:
        files: posteriors.csv of each run, in <model>/<seed>/.
    """
    tables = []
    every = [pd.read_csv(file) for file in files]
    rows = torch.randperm(len(every[0]), generator=generator)[: options["images"]].sort().values.numpy()
    for file, of in zip(files, every, strict=True):
        table = of.iloc[rows].reset_index(drop=True)
        means, deviations = (torch.tensor(table[names].to_numpy(float)) for names in (MEANS, DEVIATIONS))
        share = taken(means, deviations, options["draws"], generator)
        tables.append(table.assign(model=file.parts[-3], seed=file.parts[-2], taken=share))
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame, files: Sequence[Path]) -> Figure:
    """One panel per model, first seed: for each image an ellipse of one standard deviation, coloured by its label."""
    models, first = list(table["model"].unique()), table["seed"].iloc[0]
    shares = {model: of.groupby("seed")["taken"].first() for model, of in table.groupby("model")}
    told = {
        model: ", ".join(f"{share:.0%} (seed {seed})" for seed, share in of.items()) for model, of in shares.items()
    }
    titles = [f"{model}: codes that are likelier another image's:\n{told[model]}" for model in models]
    heading = f"Posteriors of held-out digits, one deviation, seed {first} (grey: the prior's 1, 2, 3 deviations)"
    figure, axes = panels(titles, heading, side=4.4)
    palette = sns.color_palette("colorblind", 10)
    for one, model in zip(axes, models, strict=True):
        of = table[(table["model"] == model) & (table["seed"] == first)]
        colours, where = [palette[label] for label in of["label"]], of[MEANS].to_numpy()
        _ellipses(one, [(0, 0)] * 3, [[1, 2, 3]] * 2, facecolors="none", edgecolors="#9a9a9a", linestyles=":")
        faces = [(*colour, 0.25) for colour in colours]
        _ellipses(one, where, of[DEVIATIONS].to_numpy().T, facecolors=faces, edgecolors=colours)
        one.scatter(where[:, 0], where[:, 1], color=colours, s=1, zorder=3)
        one.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    for label in sorted(table["label"].unique()):
        axes[-1].scatter([], [], color=palette[label], s=20, label=str(label))
    figure.legend(loc="outside lower center", ncols=10, title="digit")
    return figure


def _ellipses(axes: Axes, centres: Any, radii: Any, **style: Any) -> None:
    width, height = (2 * np.array(radius, float) for radius in radii)
    where = {"units": "xy", "offsets": centres, "offset_transform": axes.transData}
    axes.add_collection(EllipseCollection(width, height, 0 * width, **where, linewidths=0.8, **style))
