"""How a distance rises with known damage."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from wae.figures.style import INK, save, styled


def corruption(curves_csv: Path, out: Path, *, title: str) -> None:
    """One panel per corruption: fd_classifier against the level of damage; each title has Spearman's rank correlation.

    Args:
        curves_csv: columns corruption, level, fd_classifier; the first level of each is no damage.
    """
    curves = pd.read_csv(curves_csv)
    with styled():
        names = list(curves["corruption"].unique())
        figure = Figure(figsize=(2.6 * len(names), 2.9), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
            curve = curves[curves["corruption"] == name]
            rank = curve["level"].rank().corr(curve["fd_classifier"].rank())
            axes.plot(curve["level"], curve["fd_classifier"], marker="o", color="#0173b2", linewidth=1.5)
            axes.axhline(curve["fd_classifier"].iloc[0], color=INK, linestyle="--", linewidth=1.0)
            axes.set(title=f"Spearman {rank:.2f}", xlabel=name, ylabel="", ylim=(0, None))
        figure.axes[0].set_ylabel("FD (classifier)")
        figure.suptitle(f"{title} (dashed: undamaged real images)", x=0.01, ha="left", fontsize=11)
        save(figure, out)
