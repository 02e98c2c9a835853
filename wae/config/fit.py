"""Checks that the values of a params file fit each other and the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wae.config.constructors import constant, table
from wae.config.parts import batches, misfits
from wae.config.seen import shown_wrongly
from wae.config.yaml import Keys
from wae.errors import near, one_of

Mistake = tuple[Keys, str]
RESERVED = ("data",)
GAME = ("kind", "penalty", "objective", "interpolation", "optimisers")  # the keys that decide who the players are


def contradictions(
    params: Mapping[str, Any], datasets: Mapping[str, Any] | None, wrong: Iterable[Keys]
) -> Iterator[Mistake]:
    """The mistakes of values that are right by themselves but do not fit each other or the data.

    Args:
        datasets: those of data/params.yaml; with None, nothing is compared with the data.
        wrong: the keys of values that are wrong by themselves; values above or below them are not checked.
    """
    wrong = tuple(wrong)

    def sound(*keys: str) -> bool:
        return not any(keys[: len(place)] == place[: len(keys)] for place in wrong)

    described, defined = datasets or {}, _mapping(params.get("models"))
    if sound("seeds"):
        yield from _twice(("seeds",), params["seeds"])
    for dataset, models in _mapping(params.get("grid")).items():
        if sound("grid", dataset):
            yield from _grid(dataset, models, defined, datasets)
        if sound("evaluation", dataset) and dataset in described:
            yield from _evaluation(dataset, params["evaluation"], described[dataset])
    for dataset, entries in defined.items():
        for model, entry in _mapping(entries).items():
            keys = ("models", dataset, model)
            if model in RESERVED:
                yield keys, f"is a reserved name: the table's row of real images is called {model!r}"
            if all(sound(*keys, key) for key in GAME):
                yield from _optimisers((*keys, "optimisers"), entry)
            if sound(*keys):
                yield from (((*keys, *inside), said) for inside, said in misfits(entry))
            if dataset in described and all(sound(*keys, key) for key in ("batch", "pretraining", "objective")):
                yield from _images(keys, entry, described[dataset]["train"])
    for figure, settings in _mapping(params.get("figures")).items():
        if settings and sound("figures", figure) and sound("grid") and sound("models") and sound("evaluation"):
            yield from shown_wrongly(("figures", figure), settings, params, described)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _twice(keys: Keys, values: list[Any]) -> Iterator[Mistake]:
    for value, count in Counter(values).items():
        if count > 1:
            yield keys, f"holds {value!r} {count} times; each may stand there once"


def _grid(
    dataset: str, models: list[str], defined: Mapping[str, Any], datasets: Mapping[str, Any] | None
) -> Iterator[Mistake]:
    keys: Keys = ("grid", dataset)
    if datasets is not None and dataset not in datasets:
        yield keys, f"is no data set; data/params.yaml has: {', '.join(datasets)}" + near(dataset, datasets)
        return
    yield from _twice(keys, models)
    for index, model in enumerate(models):
        if model not in (entries := _mapping(defined.get(dataset))):
            yield (*keys, index), one_of(model, entries)


def _evaluation(dataset: str, entries: Mapping[str, Any], described: Mapping[str, Any]) -> Iterator[Mistake]:
    if dataset not in entries:
        yield ("evaluation",), f"has no entry for {dataset!r}, which grid names"
        return
    entry, keys = entries[dataset], ("evaluation", dataset)
    features = (*keys, "features")
    yield from _twice(features, entry["features"])
    if "classifier" in entry["features"] and not described["labels"]:
        yield features, f"holds 'classifier', but {dataset} has no labels to train one on; allowed: inception"
    elif "classifier" in entry["features"] and entry["classifier"] is None:
        yield (*keys, "classifier"), "is null, but features holds 'classifier'"
    pictures, rays = entry["pictures"], entry.get("interpolation")
    held_out, every = f"test images of {dataset}", described["test"]
    yield from _most((*keys, "samples"), entry["samples"], every, held_out)
    yield from _most((*keys, "samples"), entry["samples"], described["train"], f"training images of {dataset}")
    yield from _most((*keys, "pictures", "samples"), pictures["samples"], entry["samples"], "samples of the evaluation")
    yield from _most((*keys, "pictures", "reconstructions"), pictures["reconstructions"], every, held_out)
    yield from _most((*keys, "pictures", "rows"), pictures["rows"], every // 2, f"pairs of {held_out}")
    mixture, key = entry["mixture"], (*keys, "mixture")
    yield from _most((*key, "images"), mixture["images"], described["train"], f"training images of {dataset}")
    yield from _most((*key, "components"), mixture["components"], mixture["images"], "images it is fitted to")
    if rays:
        yield from _most((*keys, "interpolation", "pairs"), rays["pairs"], every // 2, f"pairs of {held_out}")


def _most(keys: Keys, value: int, most: int, what: str) -> Iterator[Mistake]:
    if value > most:
        yield keys, f"is {value}; at most {most}, the {what}"


def _optimisers(keys: Keys, entry: Mapping[str, Any]) -> Iterator[Mistake]:
    players = players_of(entry)
    for player in entry["optimisers"]:
        if player not in players:
            yield (
                (*keys, player),
                f"is no player of this model; its players: {', '.join(players)}" + near(player, players),
            )
    for player in players:
        if player not in entry["optimisers"]:
            yield keys, f"has no entry for the player {player!r}"


def _images(keys: Keys, entry: Mapping[str, Any], train: int) -> Iterator[Mistake]:
    what = f"training images of {keys[1]}"
    yield from _most((*keys, "batch"), entry["batch"], train, what)
    if (number := batches(entry)) > 1 and entry["batch"] <= train < number * entry["batch"]:
        words = f"is {entry['batch']}; a round of this model draws {number} batches, {number * entry['batch']} images"
        yield (*keys, "batch"), f"{words}, and there are {train} {what}: at most {train // number}"
    if entry.get("pretraining"):
        yield from _most((*keys, "pretraining", "sample"), entry["pretraining"]["sample"], train, what)


def players_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the players of a model's game.

    These are the auto-encoder, the penalty's players and the critic of interpolations, or the generator and the
    objective's players.
    """
    if "objective" in entry:
        return ("generator", *_brought("models.objectives", "OBJECTIVES", entry["objective"]["kind"]))
    brought = _brought("models.penalties", "PENALTIES", entry["penalty"]["kind"])
    return ("autoencoder", *brought, *["interpolation_critic"] * bool(entry.get("interpolation")))


def drawn(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of a model's history.csv that are worth a curve: what its last player lowers, term by term."""
    if "objective" in entry:
        return (f"generator.{constant('models.objectives', 'OBJECTIVES', entry['objective']['kind'], 'term')}",)
    terms = ("reconstruction", "penalty", *["interpolation"] * bool(entry.get("interpolation")))
    return tuple(f"autoencoder.{term}" for term in terms)


def _brought(module: str, name: str, kind: str) -> tuple[str, ...]:
    assert kind in table(module, name)
    return constant(module, name, kind, "players") or ()
