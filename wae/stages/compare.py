"""The figures that compare a data set's models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wae.figures import bars, curves, overview

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Draw training curves, one figure of bars for all metrics, and samples of all models below real images."""
    dataset = job.scope["dataset"]
    folder = Path(job.profile.results) / dataset
    models, seeds = job.profile.params["grid"][dataset], job.profile.params["seeds"]
    histories = [(model, seed, folder / model / str(seed) / "history.csv") for model in models for seed in seeds]
    curves(histories, job.output("curves.png"), title=f"Training on {dataset}")
    bars(job.input("metrics.csv"), dataset, job.output("metrics.png"))
    pictures = {"data": folder / "data" / "images.npz"}
    pictures |= {model: folder / model / str(seeds[0]) / "images.npz" for model in models}
    overview(pictures, dataset, job.output("overview.png"))
