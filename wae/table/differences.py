"""Differences between models, paired by training seed, with a confidence interval for few seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import mean, stdev

import pandas as pd
from scipy import special

from wae.table.tidy import DATA, FLOOR, METRICS, seed_means

LEVEL = 0.95
SAID = (
    "From {first}, the first of the grid: mean over {seeds} training seeds, each paired with its own, and Student's "
    f"{LEVEL:.0%} interval for it. Bold: the interval is on one side of 0; each is by itself, so that one of twenty is "
    "by chance. All pairs of models and all metrics: differences.csv."
)
ONE_SEED = "One training seed does not tell how far two models differ by chance: their differences have no interval."


def differences(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row for each pair of models of a data set and each metric that both have for every seed.

    Columns: dataset, metric, model, other (the one earlier in the grid), seeds (their number), difference (mean over
    seeds of the model's value minus the other's), low, high (from `interval`; empty for one seed). Two runs with one
    seed are a pair: the data have the same order, and the same draws measure both. Samplings are averaged first.
    """
    of_models = metrics[(metrics["model"] != DATA) & ~metrics["metric"].str.endswith(FLOOR)]
    rows = []
    for (dataset, metric), group in seed_means(of_models).groupby(["dataset", "metric"], sort=False):
        values = {model: dict(zip(of["seed"], of["value"])) for model, of in group.groupby("model", sort=False)}
        for other, model in combinations(values, 2):
            found = paired(values[model], values[other])
            if found and all(map(math.isfinite, found)):
                rows.append((dataset, metric, model, other, len(found), mean(found), *interval(found)))
    return pd.DataFrame(rows, columns=["dataset", "metric", "model", "other", "seeds", "difference", "low", "high"])


def paired(values: dict[str, float], others: dict[str, float]) -> list[float]:
    """The differences for the seeds that both models have."""
    return [values[seed] - others[seed] for seed in values if seed in others]


def interval(differences: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Student's confidence interval for the mean of independent `differences`: n - 1 degrees of freedom.

    It covers the true mean with probability `level` if they are Gaussian. For fewer than two it is (nan, nan).
    """
    n = len(differences)
    if n < 2:
        return math.nan, math.nan
    reach = float(special.stdtrit(n - 1, 0.5 + level / 2)) * stdev(differences) / math.sqrt(n)
    return mean(differences) - reach, mean(differences) + reach


# ---- on a page --------------------------------------------------------------


def from_first(between: pd.DataFrame, metrics: pd.DataFrame, dataset: str) -> tuple[str, pd.DataFrame]:
    """A page's text about a data set's differences, and a table of text: quality metrics, from the grid's first model.

    The table has no rows if there is one seed or one model.
    """
    models = metrics[(metrics["dataset"] == dataset) & (metrics["model"] != DATA)]
    first, seeds = models["model"].iloc[0], models["seed"].nunique()
    rows = between[(between["dataset"] == dataset) & (between["other"] == first)]
    named = rows[[name in METRICS and METRICS[name].group == "quality" for name in rows["metric"]]]
    if seeds < 2 or named.empty:
        return ONE_SEED if seeds < 2 and len(rows) else "", pd.DataFrame()
    texts = [_text(*of) for of in zip(named["difference"], named["low"], named["high"])]
    cells = named.assign(text=texts, title=[METRICS[name].title for name in named["metric"]])
    order = {"index": list(dict.fromkeys(cells["model"])), "columns": list(dict.fromkeys(cells["title"]))}
    table = cells.pivot(index="model", columns="title", values="text").reindex(**order).fillna("")
    return SAID.format(first=first, seeds=seeds), table.rename_axis(columns=None).reset_index()


def _text(difference: float, low: float, high: float) -> str:
    """The difference and its interval to two digits of the interval's half width."""
    reach = (high - low) / 2 or abs(difference) or 1.0
    decimals = max(0, 1 - math.floor(math.log10(reach)))
    text = f"{difference:+.{decimals}f} [{low:+.{decimals}f}, {high:+.{decimals}f}]"
    return f"**{text}**" if low > 0 or high < 0 else text
