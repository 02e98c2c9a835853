"""Params files with mistakes at random: never a traceback, and what is accepted can be built, trained and scheduled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.params import DATA, content
from torch import nn

from wae.check import too_large
from wae.config.check import Mistakes, json_schema, load
from wae.config.params import PARAMS
from wae.errors import UserError
from wae.models.game import Player
from wae.models.trial import sizes
from wae.pipeline.dag import jobs
from wae.pipeline.profile import Profile
from wae.pipeline.render import rendered
from wae.training.optim import SCHEDULES, optimiser

Keys = tuple[str | int, ...]
BASES = {name: content(name) for name in ("smoke", "family", "transport")}
SCHEMA = json_schema(PARAMS)
KINDS = sorted({key for model in SCHEMA["$defs"].values() for key in model.get("properties", {})})
NUMBERS = [0, 1, 2, 3, 7, -1, 100, 1436, 1437, 1438, 10**6, 10**30, -(10**30), 0.0, -0.0, 0.5, 1.0, -0.5]
ODD = [1e-320, 5e-324, 1e-30, 1e30, 1.1e30, 1e308, float("nan"), float("inf"), float("-inf")]
OTHER = [
    None,
    True,
    False,
    "",
    "a",
    "kl",
    "1",
    "../x",
    "\x00",
    "ß" * 300,
    [],
    {},
    [[]],
    {"kind": "none"},
    [0.5, 0.1],
    [1],
]


def places(node: Any, keys: Keys = ()) -> Iterator[Keys]:
    """The keys of everything inside a nested value."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inside:
        yield (*keys, key)
        yield from places(value, (*keys, key))


def at(node: Any, keys: Keys) -> Any:
    for key in keys:
        node = node[key]
    return node


def options(schema: dict[str, Any], draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """A value of the form that a schema asks for: its numbers are at the bounds, beyond them, and between."""
    if "$ref" in schema:
        return options(SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], draw)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if branches := schema.get("anyOf") or schema.get("oneOf"):
        return options(draw(st.sampled_from(branches)), draw)
    match schema.get("type"):
        case "object":
            return {name: options(of, draw) for name, of in schema.get("properties", {}).items()}
        case "array":
            items = schema.get("prefixItems")
            return [options(of, draw) for of in items or [schema["items"]] * draw(st.integers(0, 3))]
        case "integer":
            return draw(st.sampled_from([0, 1, 2, 3, 4, 8, 50]))
        case "number":
            return draw(st.sampled_from([0.0, 1e-30, 0.1, 0.3, 0.5, 0.9, 0.95, 1.0, 2.0, 10.0, 1e30]))
        case "boolean":
            return draw(st.booleans())
        case "null":
            return None
    return draw(st.sampled_from(["vae", "digits", "cpu"]))


@st.composite
def params(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    """A committed params file with up to four changes: a value, a part, a key gone, renamed, added, or moved."""
    found = deepcopy(BASES[draw(st.sampled_from(sorted(BASES)))])
    for _ in range(draw(st.integers(1, 4))):
        every = list(places(found))
        keys = every[draw(st.integers(0, len(every) - 1))]
        within, key = at(found, keys[:-1]), keys[-1]
        match draw(
            st.sampled_from(["number", "number", "odd", "other", "gone", "added", "renamed", "moved", *["part"] * 6])
        ):
            case "number":
                within[key] = draw(st.sampled_from(NUMBERS))
            case "odd":
                within[key] = draw(st.sampled_from(ODD))
            case "other":
                within[key] = deepcopy(draw(st.sampled_from(OTHER)))
            case "gone":
                del within[key]
            case "added" if isinstance(within, dict):
                within[draw(st.sampled_from([*KINDS, "", "x y", "data"]))] = draw(st.sampled_from(NUMBERS + OTHER))
            case "renamed" if isinstance(within, dict):
                within[f"{key}{draw(st.sampled_from(['s', '', 'é']))}"] = within.pop(key)
            case "moved":
                within[key] = deepcopy(at(found, every[draw(st.integers(0, len(every) - 1))]))
            case "part":
                replaced(found, every, draw)
    return found


def replaced(found: Any, every: list[Keys], draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    """Another part of a model, or another number of it, of the form that the schema asks for."""
    parts = [keys for keys in every if keys[-1] in PARTS and isinstance(at(found, keys), dict)]
    if parts:
        keys = parts[draw(st.integers(0, len(parts) - 1))]
        made = options(PARTS[keys[-1]], draw)
        at(found, keys[:-1])[keys[-1]] = {**made, "schedule": {"kind": "constant"}} if keys[-1] == "adam" else made


PARTS: dict[Any, dict[str, Any]] = {
    name: SCHEMA["$defs"]["AutoEncoder"]["properties"].get(name) or SCHEMA["$defs"]["Gan"]["properties"][name]
    for name in ("network", "posterior", "cost", "prior", "penalty", "objective")
}
PARTS["schedule"] = next(
    of["properties"]["schedule"] for of in SCHEMA["$defs"].values() if "schedule" in of.get("properties", {})
)


def text(node: Any) -> str:
    """A params file's text. JSON is YAML, but for the names of numbers that are none."""
    return json.dumps(node).replace("NaN", ".nan").replace("Infinity", ".inf").replace("\\u0000", "\\0")


def accepted(path: Path) -> bool:
    """Whether the loader and `wae check` take a file. Whatever they raise beside sentences comes through."""
    try:
        read, data = load(path, DATA)
    except Mistakes as error:
        return refused(path, error)
    profile = Profile("fuzz", read, data)
    for job in jobs(profile):
        json.dumps([job.command, job.inputs, job.outputs, job.slice(), job.stage.memory_mb(profile)])
    rendered(profile)
    return all(whole(data["datasets"][dataset], read, entry) for dataset, entry in gridded(read))


def refused(path: Path, mistakes: Mistakes) -> bool:
    """False, once every sentence is one line that names the file."""
    assert mistakes.sentences
    assert [of for of in mistakes.sentences if "\n" in of or not of.startswith(f"{path}")] == []
    return False


def gridded(read: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for dataset, models in read["grid"].items():
        yield from ((dataset, read["models"][dataset][model]) for model in models)


def whole(dataset: dict[str, Any], read: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether `wae check` takes a model; then its optimisers and schedules can be made as a training makes them."""
    try:
        found = sizes(dataset, entry)
    except UserError:
        return False
    for player in entry["optimisers"].values():
        made = optimiser(player, Player("any", (nn.Parameter(torch.zeros(1)),), lambda batch: {}))
        rest = {key: value for key, value in player["schedule"].items() if key != "kind"}
        schedule = SCHEDULES[player["schedule"]["kind"]](**rest)
        epochs = entry["epochs"]
        assert made.param_groups[0]["lr"] > 0
        assert all(schedule(epoch, epochs) > 0 for epoch in {0, epochs // 2, epochs - 1} if 0 <= epoch < epochs)
    return not too_large(found, read["compute"]["memory_mb"])


def tells(found: dict[str, Any], folder: Path) -> None:
    path = folder / "params.yaml"
    path.write_text(text(found), encoding="utf-8")
    accepted(path)


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=QUIET)
@given(found=params())
def test_a_params_file_with_mistakes_is_refused_in_sentences_or_can_be_run(
    found: dict[str, Any], tmp_path: Path
) -> None:
    tells(found, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=2000, deadline=None, suppress_health_check=QUIET)
@given(found=params())
def test_two_thousand_params_files_are_refused_in_sentences_or_can_be_run(
    found: dict[str, Any], tmp_path: Path
) -> None:
    tells(found, tmp_path)


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=QUIET)
@given(data=st.data())
def test_a_params_file_whose_text_is_damaged_is_refused_in_sentences_or_can_be_read(
    data: st.DataObject, tmp_path: Path
) -> None:
    """Characters gone, doubled or put in, anywhere: YAML that is none, or is of another form."""
    whole_text = (DATA.parent.parent / "params/smoke/params.yaml").read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(whole_text)))
        gone = data.draw(st.sampled_from([0, 1, 2, 30]))
        put = data.draw(
            st.sampled_from(
                [
                    "",
                    " ",
                    "\n",
                    "- ",
                    ": ",
                    "{",
                    "}",
                    "[",
                    "]",
                    "&a ",
                    "*a",
                    "<<: *a",
                    "!!x ",
                    "\t",
                    "'",
                    "#",
                    "\0",
                    "\x85",
                ]
            )
        )
        whole_text = whole_text[:place] + put + whole_text[place + gone :]
    path = tmp_path / "params.yaml"
    path.write_text(whole_text, encoding="utf-8")
    accepted(path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"- 1\n", b"a: *b\n", b"? [1]\n: 2\n", b"a: 1\n---\nb: 2\n", b"1: 2\n"]
)
def test_a_file_that_is_no_params_file_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    assert not accepted(path)
