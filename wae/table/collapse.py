"""Which models' codes say nothing of the image: posterior collapse, marked where people read."""

from __future__ import annotations

import pandas as pd

SAYING = 0.1  # nats; the estimate of a posterior that equals the prior is 0
SAID = (
    "Collapsed: no unit is active and the code has less than {nats} nats about the image, so every image has the same "
    "posterior. Its codes are near to the prior for that reason alone; they are never the bold ones."
)


def marked(table: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """The summary, with a mark behind the names of models that collapsed and a column `collapsed`, true for them.

    Args:
        metrics: the metrics that the table summarises: one value of each seed.
    """
    seeds = metrics[metrics["metric"].isin(("active_units", "mutual_information"))]
    values = seeds.pivot_table(index=["dataset", "model", "seed"], columns="metric", values="value", sort=False)
    values = values.reindex(columns=["active_units", "mutual_information"])
    fallen = (values["active_units"] == 0) & (values["mutual_information"] < SAYING)
    counts = fallen.groupby(level=[0, 1]).agg(["sum", "size"])
    marks = {key: _mark(int(of["sum"]), int(of["size"])) for key, of in counts.iterrows() if of["sum"]}
    found = [marks.get(key, "") for key in zip(table["dataset"], table["model"])]
    return table.assign(model=table["model"] + pd.Series(found, table.index), collapsed=[bool(mark) for mark in found])


def explained(table: pd.DataFrame) -> str:
    """What the mark means, for a table that `marked` returned; empty if it has none."""
    return SAID.format(nats=SAYING) if table["collapsed"].any() else ""


def _mark(fallen: int, seeds: int) -> str:
    return " (collapsed)" if fallen == seeds else f" ({fallen} of {seeds} seeds collapsed)"
