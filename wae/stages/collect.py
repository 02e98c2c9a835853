"""Gather every run's metrics into one tidy table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wae.table import DATA, collect

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write metrics.csv, in the order of params."""
    records: list[tuple[str, str, int | str, Path]] = []
    results = Path(job.profile.results)
    for dataset, models in job.profile.params["grid"].items():
        records.append((dataset, DATA, "", results / dataset / DATA / "metrics.json"))
        for model in models:
            for seed in job.profile.params["seeds"]:
                records.append((dataset, model, seed, results / dataset / model / str(seed) / "metrics.json"))
    collect(records, job.output("metrics.csv"))
