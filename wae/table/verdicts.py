"""Whether our numbers reproduce published ones. A number measured in another way is not judged; the text says why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, stdev
from typing import Any

import pandas as pd

from wae.table.claims import Claim, Order
from wae.table.differences import LEVEL, interval, paired
from wae.table.tidy import DATA, seed_means

REPRODUCED, CLOSE, FAILED, NOT_RUN = "reproduced", "close", "not reproduced", "not run"
CLOSENESS = 2.0  # a value is close if it lies within so many tolerances
WHY = {"fid": "no Inception weights were asked for"}  # why a metric has no number; the default is "was not measured"

Settings = Mapping[str, Mapping[str, Any]]
"""Data set -> `dataset`, its entry in data/params.yaml, and `models`, the profile's entries by name."""


@dataclass(frozen=True)
class Verdict:
    """The verdict of our rows of a data set on a claim: `text` is one of the four words, then a colon and details."""

    claim: Claim | Order
    dataset: str
    text: str

    def __str__(self) -> str:
        """The claim and the verdict, as in `vae 63: close`."""
        claim = self.claim
        said = " < ".join(claim.order) if isinstance(claim, Order) else f"{claim.model} {claim.value:g}"
        return f"{said}: {self.text}"

    @property
    def word(self) -> str:
        """The verdict without its details."""
        return self.text.split(":", 1)[0]


class NotRunError(Exception):
    """The reason why our rows cannot answer a claim."""


def judge(claims: Sequence[Claim | Order], metrics: pd.DataFrame, settings: Settings) -> list[Verdict]:
    """A verdict for each claim and each data set of `metrics` that it is about, in the order of the claims.

    A value is reproduced if the mean over seeds lies within the claim's tolerance and every seed within CLOSENESS
    tolerances. It is close if the mean lies within CLOSENESS tolerances. The text gives the number of seeds.
    An order is reproduced if it holds for each seed, and close if it holds only for the means. For several seeds, the
    text says whether the intervals of its differences are above 0.
    """
    metrics = seed_means(metrics)
    present = dict.fromkeys(metrics["dataset"])
    return [
        Verdict(claim, dataset, _verdict(claim, dataset, metrics, settings))
        for claim in claims
        for dataset in (claim.dataset, *claim.also)
        if dataset in present
    ]


def _verdict(claim: Claim | Order, dataset: str, metrics: pd.DataFrame, settings: Settings) -> str:
    rows = metrics[metrics["dataset"] == dataset]
    try:
        return _order(claim, rows) if isinstance(claim, Order) else _value(claim, rows, settings.get(dataset, {}))
    except NotRunError as why:
        return f"{NOT_RUN}: {why}"


def _value(claim: Claim, rows: pd.DataFrame, settings: Mapping[str, Any]) -> str:
    if claim.tolerance is None:
        raise NotRunError(f"other protocol: {claim.differs}")
    values = by_seed(rows, claim.model, claim.metric)
    measured = rows[(rows["model"] == claim.model) & (rows["metric"] == claim.metric)]["n"].iloc[0]
    ours = {"n": measured, "dataset": settings.get("dataset"), "model": settings.get("models", {}).get(claim.model)}
    found = {key: lookup(ours, key) for key in claim.where}
    wrong = [f"{key} is {found[key]}, there {value}" for key, value in claim.where.items() if found[key] != value]
    if wrong:
        raise NotRunError("; ".join(wrong))
    tolerance = claim.tolerance.around(claim.value)
    off = [abs(value - claim.value) for value in (mean(values.values()), *values.values())]
    near = off[0] <= tolerance and max(off) <= CLOSENESS * tolerance
    word = REPRODUCED if near else CLOSE if off[0] <= CLOSENESS * tolerance else FAILED
    if claim.model == DATA:
        return word
    if len(values) == 1:
        return f"{word}: one seed"
    return f"{word}: mean of {len(values)} seeds, standard deviation {stdev(values.values()):.2g}"


def _order(claim: Order, rows: pd.DataFrame) -> str:
    values = [by_seed(rows, model, claim.metric) for model in claim.order]
    seeds = set(values[0]).intersection(*values[1:])
    holds = sum(rises([of[seed] for of in values]) for seed in seeds)
    said = f"it holds for {holds} of {len(seeds)} seeds"
    if not rises([mean(of.values()) for of in values]):
        return f"{FAILED}: {said}"
    if len(seeds) > 1:
        beyond = all(interval(paired(above, below))[0] > 0 for below, above in pairwise(values))
        said += f", the {LEVEL:.0%} intervals of its differences are {'' if beyond else 'not all '}above 0"
    return f"{REPRODUCED if holds == len(seeds) else CLOSE}: {said}"


def by_seed(rows: pd.DataFrame, model: str, metric: str) -> dict[str, float]:
    """The value of a metric of a model for each seed. Raises NotRunError if one is missing."""
    of_model = rows[rows["model"] == model]
    if of_model.empty:
        raise NotRunError(f"the grid has no {model}")
    measured = of_model[of_model["metric"] == metric]
    values: dict[str, float] = dict(zip(measured["seed"], measured["value"]))
    if all(map(math.isnan, values.values())):
        raise NotRunError(WHY.get(metric, f"{metric} was not measured"))
    if any(map(math.isnan, values.values())):
        raise NotRunError(f"{metric} has no value for some seed")
    return values


def lookup(settings: Any, key: str) -> Any:
    """The value at a dotted key, None where there is none."""
    for part in key.split("."):
        settings = settings.get(part) if isinstance(settings, Mapping) else None
    return settings


def rises(values: Sequence[float]) -> bool:
    """Whether each value is larger than the one before it."""
    return all(first < second for first, second in pairwise(values))
