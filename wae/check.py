"""Every mistake of a params file at once: where it stands, what was found, what is allowed, what is near."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wae.config import DATA, PARAMS
from wae.errors import UserError
from wae.schema import constant, table
from wae.settings import shown
from wae.yaml import Document, Keys

RESERVED = ("data",)


class Mistakes(UserError):
    """What is wrong with a params file, one sentence a mistake."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("\n".join(self.sentences))


def load(path: Path, data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plain content of a profile's params file and of data/params.yaml.

    Raises:
        Mistakes: with every mistake of both files.
    """
    document, shared = _documents(path, data)
    found = [*_invalid(document, PARAMS), *_invalid(shared, DATA)]
    if not found:
        found = [(document, *mistake) for mistake in _contradictions(document.content, shared.content)]
        found += [(shared, *mistake) for mistake in _unknown_sources(shared.content)]
    _stop(found)
    return document.content, shared.content


def load_data(path: Path) -> dict[str, Any]:
    """The plain content of data/params.yaml.

    Raises:
        Mistakes: with every mistake of the file.
    """
    (document,) = _documents(path)
    _stop(_invalid(document, DATA) or [(document, *mistake) for mistake in _unknown_sources(document.content)])
    return document.content


def _documents(*paths: Path) -> list[Document]:
    try:
        return [Document(path) for path in paths]
    except ValueError as error:
        raise Mistakes([str(error)]) from None


def _stop(found: list[tuple[Document, Keys, str]]) -> None:
    """Raise what was found, each mistake once: where it stands, not at every alias or merge that repeats it."""
    sentences: dict[tuple[Path, int, str], str] = {}
    for document, keys, text in found:
        if not document.inherited(keys):
            where = document.path, document.line(keys), f"{keys[-1]} {text}"
            sentences.setdefault(where, f"{where[0]}:{where[1]}: {'.'.join(map(str, keys))} {text}")
    if sentences:
        raise Mistakes(sentences.values())


def near(name: object, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where nothing is near."""
    close = get_close_matches(str(name), list(allowed), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def one_of(name: object, allowed: Iterable[str]) -> str:
    """The sentence for a name that is not in a list."""
    allowed = list(allowed)
    return f"is {name!r}; allowed: {', '.join(map(str, allowed))}{near(name, allowed)}"


# ---- each value by itself: pydantic, in our words ---------------------------


@cache
def json_schema(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON schema of a params file."""
    return adapter.json_schema()


def _invalid(document: Document, adapter: TypeAdapter[Any]) -> list[tuple[Document, Keys, str]]:
    try:
        adapter.validate_python(document.content)
    except ValidationError as error:
        return [(document, *_sentence(problem, document.content, adapter)) for problem in error.errors()]
    return []


def _sentence(problem: Any, content: dict[str, Any], adapter: TypeAdapter[Any]) -> tuple[Keys, str]:
    keys, value, mapping, schema = _walk(problem["loc"], content, json_schema(adapter))
    match problem["type"]:
        case "extra_forbidden":
            allowed = mapping.get("properties", {})
            return keys, f"is an unknown key; allowed: {', '.join(allowed)}{near(keys[-1], allowed)}"
        case "missing":
            return keys, "is missing"
        case "union_tag_not_found":
            return keys, "has no 'kind'; allowed: " + ", ".join(schema["discriminator"]["mapping"])
        case "union_tag_invalid":
            return (*keys, "kind"), one_of(value["kind"], schema["discriminator"]["mapping"])
        case "literal_error":
            return keys, one_of(value, schema.get("enum") or [schema["const"]])
        case _:
            message = problem["msg"].split(" ", 1)[1] if problem["msg"].split(" ", 1)[0].istitle() else problem["msg"]
            return keys, f"is {value!r}: it {message}"


def _walk(loc: Keys, content: Any, root: dict[str, Any]) -> tuple[Keys, Any, dict[str, Any], dict[str, Any]]:
    """Follow pydantic's location through content and schema together.

    Returns the keys as they stand in the file (pydantic's location also holds the tags of unions), the value there,
    and the schemas of the mapping it stands in and of the value itself.
    """
    keys: Keys = ()
    mapping = schema = _resolved(root, root, content)
    for part in loc:
        inside = part in content if isinstance(content, dict) else isinstance(content, list) and isinstance(part, int)
        if inside:
            keys, content, mapping = (*keys, part), content[part], schema
            schema = _resolved(_inner(schema, part), root, content)
        elif isinstance(content, dict) and part != content.get("kind"):
            return (*keys, part), None, schema, {}
    return keys, content, mapping, schema


def _inner(schema: dict[str, Any], part: str | int) -> dict[str, Any]:
    if isinstance(part, int):
        items: dict[str, Any] = schema.get("items", {})
        return items
    others = schema.get("additionalProperties")
    pattern = next(iter(schema.get("patternProperties", {}).values()), None)
    found: dict[str, Any] = schema.get("properties", {}).get(part) or pattern or others or {}
    return found


def _resolved(schema: dict[str, Any], root: dict[str, Any], content: Any) -> dict[str, Any]:
    """`schema` with references followed, the branch of `X | None` that is not null, and `kind` chosen."""
    while True:
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in schema:
            schema = next(branch for branch in schema["anyOf"] if branch.get("type") != "null")
        elif "discriminator" in schema and isinstance(content, dict):
            reference = schema["discriminator"]["mapping"].get(content.get("kind"))
            if reference is None:
                return schema
            schema = {"$ref": reference}
        else:
            return schema


# ---- values that must fit each other ----------------------------------------


def _contradictions(params: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    yield from _twice(("seeds",), params["seeds"])
    for dataset, models in params["grid"].items():
        keys: Keys = ("grid", dataset)
        if dataset not in data["datasets"]:
            yield (
                keys,
                f"is no data set; data/params.yaml has: {', '.join(data['datasets'])}"
                + near(dataset, data["datasets"]),
            )
            continue
        yield from _twice(keys, models)
        defined = params["models"].get(dataset, {})
        for index, model in enumerate(models):
            if model not in defined:
                yield (*keys, index), one_of(model, defined)
        if dataset not in params["evaluation"]:
            yield ("evaluation",), f"has no entry for {dataset!r}, which grid names"
            continue
        yield from _evaluation(dataset, params["evaluation"][dataset], data["datasets"][dataset])
    for dataset, models in params["models"].items():
        for model, entry in models.items():
            yield from _model(("models", dataset, model), model, entry)
    for figure, settings in (params.get("figures") or {}).items():
        for model in shown(settings or {}):
            if model not in params["grid"].get(settings["dataset"], []):
                yield ("figures", figure), f"shows {model!r}, which grid has not for {settings['dataset']!r}"


def _twice(keys: Keys, values: list[Any]) -> Iterator[tuple[Keys, str]]:
    for value, count in Counter(values).items():
        if count > 1:
            yield keys, f"holds {value!r} {count} times; each may stand there once"


def _evaluation(dataset: str, entry: Mapping[str, Any], described: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    keys: Keys = ("evaluation", dataset, "features")
    yield from _twice(keys, entry["features"])
    if "classifier" in entry["features"] and not described["labels"]:
        yield keys, f"holds 'classifier', but {dataset} has no labels to train one on; allowed: inception"
    elif "classifier" in entry["features"] and entry["classifier"] is None:
        yield ("evaluation", dataset, "classifier"), "is null, but features holds 'classifier'"


def _model(keys: Keys, name: str, entry: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    if name in RESERVED:
        yield keys, f"is a reserved name: the table's row of real images is called {name!r}"
    players = list(players_of(entry))
    for player in entry["optimisers"]:
        if player not in players:
            yield (
                (*keys, "optimisers", player),
                f"is no player of this model; its players: {', '.join(players)}" + (near(player, players)),
            )
    for player in players:
        if player not in entry["optimisers"]:
            yield (*keys, "optimisers"), f"has no entry for the player {player!r}"


def players_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The players of a model's game, by name.

    An auto-encoder, the penalty's and the critic of interpolations; or a generator and its objective's.
    """
    if "objective" in entry:
        return ("generator", *_brought("objectives", "OBJECTIVES", entry["objective"]["kind"]))
    brought = _brought("penalties", "PENALTIES", entry["penalty"]["kind"])
    return ("autoencoder", *brought, *["interpolation_critic"] * bool(entry.get("interpolation")))


def _brought(module: str, name: str, kind: str) -> tuple[str, ...]:
    assert kind in table(module, name)
    return constant(module, name, kind, "players") or ()


def _unknown_sources(data: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    for name, entry in data["datasets"].items():
        source = entry.get("source")
        if source is not None and source not in data["sources"]:
            yield ("datasets", name, "source"), one_of(source, data["sources"])
