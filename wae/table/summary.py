"""The comparison: one row per data set and model, seeds averaged, published values beside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev, variance
from typing import Any

import pandas as pd

from wae.table.claims import Order
from wae.table.tidy import DATA, METRICS, TableError
from wae.table.verdicts import Verdict

CLAIMED = ("_published", "_verdict", "_published_source", "_published_protocol")
PROTOCOL = ("n", "reference", "features_sha256", "protocol")  # numbers can be compared only if all these are equal


def summarise(metrics: pd.DataFrame, verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row per data set and model, in the order of `metrics`, the `data` row last of its data set.

    `seeds` is the number of training seeds, empty for `data`, which is not trained. `<metric>_std` is the standard
    deviation of `mean_std`, empty for a single number. If the value of one seed is empty or missing, the mean is empty
    too. The metrics of METRICS with `everywhere` always have columns.
    `<metric>_published` is the first claim for that data set, model and metric. `<metric>_verdict` says whether ours
    reproduces it; columns for its source and protocol follow. `<metric>_order` has the verdict on each order that names
    the model. `protocol` says how the data set's columns were measured.

    Raises:
        TableError: a column of one data set mixes protocols, sample sizes, references or features.
    """
    always = [name for name, metric in METRICS.items() if metric.everywhere]
    names = list(dict.fromkeys([*always, *metrics["metric"]]))
    measured = protocols(metrics)
    runs = metrics.groupby(["dataset", "model", "metric", "seed"], sort=False)["value"].agg(list)
    values: dict[Any, Any] = {key: list(group) for key, group in runs.groupby(level=[0, 1, 2], sort=False)}
    rows = []
    for dataset, model in _rows(metrics):
        of_model = metrics[(metrics["dataset"] == dataset) & (metrics["model"] == model)]
        row: dict[str, object] = {"dataset": dataset, "model": model}
        seeds = of_model["seed"].nunique()
        row["seeds"] = pd.NA if model == DATA else seeds
        for name in names:
            found = values.get((dataset, model, name), [])
            row[f"{name}_mean"], row[f"{name}_std"] = mean_std(found if len(found) == seeds else [])
        row |= _published(verdicts, dataset, model)
        row["protocol"] = "; ".join(_line(entry) for entry in measured[measured["dataset"] == dataset].itertuples())
        rows.append(row)
    return pd.DataFrame(rows).astype({"seeds": "Int64"})


def protocols(metrics: pd.DataFrame) -> pd.DataFrame:
    """How each metric of each data set was measured: columns dataset, metric, those of PROTOCOL, samplings.

    Raises:
        TableError: two numbers of one data set and metric were measured in different ways, or with different samplings.
    """
    computed = metrics[metrics["value"].notna()]
    for (dataset, metric), group in computed.groupby(["dataset", "metric"], sort=False):
        for field in PROTOCOL:
            different = group.drop_duplicates(field)
            if len(different) > 1:
                found = " and ".join(f"{row[field]!s} ({row['model']})" for _, row in different.head(2).iterrows())
                raise TableError(f"{dataset}: {metric} mixes {field} {found}; such numbers cannot share a column")
    one = computed.drop_duplicates(["dataset", "metric"])[["dataset", "metric", *PROTOCOL]].reset_index(drop=True)
    of_seed = ["dataset", "metric", "model", "seed"]
    times = computed.groupby(of_seed, sort=False).size().rename("samplings").reset_index()
    trained = times[times["model"] != DATA]  # some values of real images are measured once
    for (dataset, metric), group in trained.groupby(["dataset", "metric"], sort=False):
        different = group.drop_duplicates("samplings")
        if len(different) > 1:
            said = (f"{row['samplings']} ({row['model']}, seed {row['seed']})" for _, row in different.iterrows())
            raise TableError(f"{dataset}: {metric} mixes samplings {' and '.join(said)}; means of them do not compare")
    return one.join(times.groupby(["dataset", "metric"])["samplings"].max(), on=["dataset", "metric"])


def _rows(metrics: pd.DataFrame) -> list[tuple[str, str]]:
    pairs = list(dict.fromkeys(zip(metrics["dataset"], metrics["model"])))
    datasets = list(dict.fromkeys(dataset for dataset, _ in pairs))
    return sorted(pairs, key=lambda pair: (datasets.index(pair[0]), pair[1] == DATA))


def mean_std(seeds: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Mean of numbers (seeds, samplings), and the standard deviation of one number, from one seed and one sampling.

    Its variance is that of the seeds' means, minus 1 / s of the variance within a seed of s samplings, plus the
    variance within. It is unbiased; the variance of all numbers together is too small. For one seed it is that within.
    """
    if not seeds or any(math.isnan(value) for run in seeds for value in run):
        return math.nan, math.nan
    # `statistics` rounds correctly; numpy sums in an order that depends on the processor.
    means, samplings = [mean(run) for run in seeds], len(seeds[0])
    if samplings == 1:
        return mean(means), stdev(means) if len(means) > 1 else math.nan
    within = mean(variance(run) for run in seeds)
    between = variance(means) - within / samplings if len(means) > 1 else 0.0
    return mean(means), math.sqrt(between + within)


def _published(verdicts: Sequence[Verdict], dataset: str, model: str) -> dict[str, object]:
    """The published columns of one row: the same for every row, empty if no claim is about this one."""
    columns: dict[str, object] = {}
    for verdict in verdicts:
        claim, here = verdict.claim, verdict.dataset == dataset
        if isinstance(claim, Order):
            told = str(verdict) if here and model in claim.order else ""
            column = f"{claim.metric}_order"
            columns[column] = "; ".join(filter(None, (str(columns.get(column, "")), told)))
            continue
        names = [f"{claim.metric}{end}" for end in CLAIMED]
        if here and claim.model == model and not columns.get(names[-1]):
            columns |= dict(zip(names, (claim.value, verdict.text, claim.source, claim.protocol)))
        else:
            columns = dict(zip(names, (math.nan, "", "", ""))) | columns
    return columns


def _line(entry: object) -> str:
    """A text such as `fid: n=10000, all 10000 held-out images, features 6726825d, ...`, without empty parts."""
    n, reference, features, protocol, samplings = (getattr(entry, field) for field in (*PROTOCOL, "samplings"))
    parts = ["" if pd.isna(n) else f"n={n}", drawn(samplings), reference]
    parts += [features and f"features {features[:8]}", protocol]
    return f"{getattr(entry, 'metric')}: {', '.join(filter(None, parts))}"  # noqa: B009


def drawn(samplings: int) -> str:
    """The number of samplings per seed in a mean, in words; empty for one."""
    return f"{samplings} samplings a seed" if samplings > 1 else ""
