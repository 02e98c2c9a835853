"""What the parts of a model ask of each other and of the length of its run. Read from the sources, without torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from wae.config.constructors import constant
from wae.config.schedule import first_epoch
from wae.config.yaml import Keys

Options = Mapping[str, Any]


def misfits(entry: Options) -> Iterator[tuple[Keys, str]]:
    """The mistakes of a model's entry whose values are right by themselves; keys start inside the entry."""
    if "penalty" in entry:
        yield from _asked(entry)
    prior = entry["prior"]
    if said := PRIORS.get(prior["kind"], _nothing)(prior, entry["network"]["latent"]):
        yield ("prior",), said
    schedules: dict[Keys, Options] = {
        ("optimisers", player, "schedule"): settings["schedule"] for player, settings in entry["optimisers"].items()
    }
    schedules |= {("annealing",): entry["annealing"]} if entry.get("annealing") else {}
    for keys, schedule in schedules.items():
        if said := SCHEDULES.get(schedule["kind"], _nothing)(schedule, entry["epochs"]):
            yield keys, said


def _asked(entry: Options) -> Iterator[tuple[Keys, str]]:
    """The posteriors and priors that a penalty has a formula for stand in its class: `posteriors` and `priors`."""
    kind = entry["penalty"]["kind"]
    for part in ("posterior", "prior"):
        allowed, found = constant("models.penalties", "PENALTIES", kind, f"{part}s"), entry[part]["kind"]
        if allowed and found not in allowed:
            words = f"is {kind!r}, which has a closed form for a {' or '.join(allowed)} {part} only"
            yield ("penalty", "kind"), f"{words}; {part}.kind is {found!r}"


def batches(entry: Options) -> int:
    """Batches of a round: one for all players, or one for each turn of a critic that draws its own, and one more."""
    objective = entry.get("objective")
    fresh = objective and constant("models.objectives", "OBJECTIVES", objective["kind"], "fresh")
    return int(objective["rounds"]) + 1 if objective and fresh else 1


# ---- rules of one part: its options, and the number they are compared with -> a sentence, or None -------------


def _nothing(options: Options, number: int) -> None:
    return None


def _mixture(prior: Options, latent: int) -> str | None:
    return (
        f"is a mixture around a circle, which needs two dimensions; network.latent is {latent}" if latent < 2 else None
    )


def _ring(prior: Options, latent: int) -> str | None:
    inner, outer = prior["inner"], prior["outer"]
    return f"has inner {inner} and outer {outer}; inner is the smaller one" if inner >= outer else None


def _steps(schedule: Options, epochs: int) -> str | None:
    at, factors = schedule["at"], schedule["factors"]
    if len(at) != len(factors):
        return f"has {len(at)} fractions in `at` and {len(factors)} in `factors`; they are as many"
    if any(later <= earlier for earlier, later in pairwise(at)):
        return f"has `at` {at}; its fractions increase"
    if epochs < len({0.0, *at} - {1.0}):
        return None  # a try, too short for every factor
    begins = [*(first_epoch(start, epochs) for start in at), epochs]
    for start, factor, begin, end in zip(at, factors, begins, begins[1:]):
        if start < 1 and begin >= end:
            words = f"has factor {factor} at {start}, which none of the {epochs} epochs has"
            last = f"the last epoch begins at {epochs - 1}/{epochs} of the run, {(epochs - 1) / epochs:.4g}"
            return f"{words}: {last if begin == epochs else f'the next factor begins in the same epoch, {begin + 1}'}"
    return None


PRIORS: dict[str, Callable[[Options, int], str | None]] = {"mixture": _mixture, "ring": _ring}
SCHEDULES: dict[str, Callable[[Options, int], str | None]] = {"steps": _steps}
