"""Codes and prior in one plane of code space."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure


def latent(images: Mapping[str, np.ndarray], title: str) -> Figure:
    """Two scatter plots with the same limits: codes, and as many draws of the prior, from `latent`, (2, n, 2).

    Each axis label has the squared 2-Wasserstein distance along that direction.
    """
    clouds = images["latent"].astype(np.float64)
    distances = np.square(np.diff(np.sort(clouds, axis=1), axis=0)).mean(axis=(0, 1))
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    figure.suptitle(f"{title}: the plane in which codes are least like the prior", x=0.01, ha="left", fontsize=11)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    reach = 1.05 * max(np.abs(clouds).max(), np.finfo(np.float32).tiny)
    for axes, cloud, name, colour in zip(panels, clouds, ("held-out codes", "prior"), sns.color_palette("colorblind")):
        axes.scatter(*cloud.T, s=4, color=colour, alpha=0.5, linewidths=0)
        axes.set(title=f"{name}, n = {len(cloud)}", xlabel=f"first direction, W₂² = {distances[0]:.3g}")
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    panels[0].set_ylabel(f"second direction, W₂² = {distances[1]:.3g}")
    return figure
