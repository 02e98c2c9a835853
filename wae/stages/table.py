"""The comparison table in its three forms, and the differences between models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wae.io import read_json
from wae.table import differences, judge, read_claims, read_metrics, summarise, write_csv, write_md, write_tex

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write table.csv, table.md with the pictures below the tables, table.tex and differences.csv."""
    metrics = read_metrics(job.input("metrics.csv"))
    params, datasets = job.profile.params, job.profile.data["datasets"]
    settings = {name: {"dataset": datasets[name], "models": params["models"][name]} for name in params["grid"]}
    verdicts = judge(read_claims(Path("claims.yaml")), metrics, settings)
    table = summarise(metrics, verdicts)
    accuracy = {
        path.parent.name: read_json(path)["accuracy"]
        for path in map(Path, job.inputs)
        if path.name == "classifier.json"
    }
    pictures = [path for path in map(Path, job.inputs) if path.suffix == ".png"]
    between = differences(metrics)
    write_csv(table, job.output("table.csv"))
    write_csv(between, job.output("differences.csv"))
    write_md(
        table,
        job.output("table.md"),
        metrics=metrics,
        between=between,
        verdicts=verdicts,
        accuracy=accuracy,
        pictures=pictures,
    )
    write_tex(table, job.output("table.tex"), metrics=metrics, accuracy=accuracy)
