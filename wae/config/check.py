"""Finds every mistake of a params file at once, and says its line, what was found, and what is allowed or similar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wae.config.fit import contradictions
from wae.config.params import DATA, PARAMS
from wae.config.yaml import Document, Keys
from wae.errors import UserError, near, nearest, one_of

Mistake = tuple[Keys, str]
KINDS = {"path": ("images", "mnist", "celeba"), "held_out": ("images", "celeba"), "pixels": ("images",)}
LABELLED = {"mnist": True, "digits": True, "faces": True, "lines": False, "celeba": False}
CELEBA = (178, 218)  # width and height of CelebA's aligned pictures


class Mistakes(UserError):
    """The mistakes of a params file, one sentence each."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("\n".join(self.sentences))


def load(path: Path, data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plain content of a profile's params file and of data/params.yaml.

    Raises:
        Mistakes: with every mistake of both files.
    """
    document, shared = _documents(path, data)
    wrong, amiss = _invalid(document, PARAMS), _wrong_data(shared)
    datasets = None if amiss else shared.content["datasets"]
    wrong += contradictions(document.content, datasets, _places(document, PARAMS))
    _stop([(document, *mistake) for mistake in wrong] + [(shared, *mistake) for mistake in amiss])
    return document.content, shared.content


def load_data(path: Path) -> dict[str, Any]:
    """The plain content of data/params.yaml.

    Raises:
        Mistakes: with every mistake of the file.
    """
    (document,) = _documents(path)
    _stop([(document, *mistake) for mistake in _wrong_data(document)])
    return document.content


def aliased(path: Path) -> list[str]:
    """One sentence for each mapping that two places of a params file share, so that DVC cannot change it in one.

    Both engines run such a file rightly. But `dvc exp run --set-param` writes through the alias or the merge.
    """
    (document,) = _documents(path)
    why = "`dvc exp run --set-param` of the one changes the other, or neither; write the mapping out in both places"
    found = [
        f"{path}:{document.line(keys)}: {_dotted(keys)} is, by an alias or a merge, {_dotted(first)} itself: {why}"
        for keys, first in document.shared()
    ]
    broken = f"{path}: a merge of a mapping in place (`<<: [{{...}}, ...]`): DVC cannot write it back; write it out"
    return found or ([] if document.rewritable() else [broken])


def _dotted(keys: Keys) -> str:
    return ".".join(map(str, keys))


def _wrong_data(document: Document) -> list[Mistake]:
    return _invalid(document, DATA) or list(_contradictions(document.content))


def _contradictions(data: dict[str, Any]) -> Iterator[Mistake]:
    for name, entry in data["datasets"].items():
        source = entry.get("source")
        if source is not None and source not in data["sources"]:
            yield ("datasets", name, "source"), one_of(source, data["sources"])
        yield from _place(("datasets", name), entry)
        if (entry.get("path") or "").startswith("mirror/") and source is None:
            yield ("datasets", name, "path"), "is in mirror/, which DVC does not see; data/raw/ is a place for it"
        yield from _pictures(("datasets", name), entry)


def _place(keys: Keys, entry: dict[str, Any]) -> Iterator[Mistake]:
    """Mistakes of where a data set's files are, and of the keys that only some kinds have."""
    kind, path = entry["kind"], entry.get("path")
    if kind == "images" and path is None:
        yield keys, "needs a path for kind images"
    if kind in ("mnist", "celeba") and path is None and entry.get("source") is None:
        yield keys, f"needs a source or a path for kind {kind}"
    if LABELLED.get(kind, entry["labels"]) != entry["labels"]:
        yield (*keys, "labels"), f"is {entry['labels']}; kind {kind} {'has' if LABELLED[kind] else 'has no'} labels"
    for key, kinds in KINDS.items():
        if entry.get(key) is not None and kind not in kinds:
            yield (*keys, key), f"is for kind {' or '.join(kinds)}; kind {kind} has none"


def _pictures(keys: Keys, entry: dict[str, Any]) -> Iterator[Mistake]:
    """Mistakes of a data set of pictures: its shape must be possible, its crop must lie inside CelebA's pictures."""
    shape, box = entry["shape"], entry.get("crop")
    if entry["kind"] == "celeba":
        missing = [key for key in ("crop", "filter") if not entry.get(key)]
        if missing:
            yield keys, f"needs {' and '.join(missing)} for kind celeba"
        if shape[0] != 3 or shape[1] != shape[2]:
            yield (*keys, "shape"), f"is {shape}; kind celeba makes three channels of a square, [3, n, n]"
    elif entry["kind"] == "images" and shape[0] not in (1, 3):
        yield (*keys, "shape"), f"is {shape}; kind images makes one channel, grey, or three"
    if box and not (box[0] < box[2] and box[1] < box[3]):
        yield (*keys, "crop"), f"is {box}; left is less than right, and upper less than lower"
    elif box and entry["kind"] == "celeba" and (box[2] > CELEBA[0] or box[3] > CELEBA[1]):
        yield (*keys, "crop"), f"is {box}; CelebA's pictures are {CELEBA[0]} wide and {CELEBA[1]} high"


def _documents(*paths: Path) -> list[Document]:
    try:
        return [Document(path) for path in paths]
    except ValueError as error:
        raise Mistakes([str(error)]) from None


def _stop(found: list[tuple[Document, Keys, str]]) -> None:
    """Raise Mistakes if any were found. Each is told once, at its own line, not at aliases or merges that repeat it.

    A value that is merged into an entry may be wrong there and right where it comes from: then that entry is the place.
    """
    sentences: dict[tuple[Path, int, str], str] = {}
    own = {(keys[-1], text) for document, keys, text in found if not document.inherited(keys)}
    for document, keys, text in found:
        if not document.inherited(keys) or (keys[-1], text) not in own:
            where = document.path, document.line(keys), f"{keys[-1]} {text}"
            sentences.setdefault(where, f"{where[0]}:{where[1]}: {'.'.join(map(str, keys))} {text}")
    if sentences:
        raise Mistakes(sentences.values())


# ---- each value by itself: pydantic's errors as plain sentences -------------


@cache
def json_schema(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON schema of a params file."""
    return adapter.json_schema()


def _problems(document: Document, adapter: TypeAdapter[Any]) -> list[Any]:
    try:
        adapter.validate_python(document.content)
    except ValidationError as error:
        return list(error.errors())
    return []


def _places(document: Document, adapter: TypeAdapter[Any]) -> list[Keys]:
    """The keys of all that is wrong by itself or missing, also of what is there with a wrong spelling."""
    schema = json_schema(adapter)
    return [_walk(problem["loc"], document.content, schema)[0] for problem in _problems(document, adapter)]


def _invalid(document: Document, adapter: TypeAdapter[Any]) -> list[Mistake]:
    problems = _problems(document, adapter)
    unknown = [problem["loc"] for problem in problems if problem["type"] == "extra_forbidden"]
    return [_sentence(problem, document.content, adapter) for problem in problems if not _misspelt(problem, unknown)]


def _misspelt(problem: Any, unknown: Iterable[Keys]) -> bool:
    """Whether a missing key is in the file with a wrong spelling. Then the unknown key is the mistake to tell."""
    *where, missing = problem["loc"]
    beside = [str(key) for *place, key in unknown if place == where]
    return problem["type"] == "missing" and any(nearest(key, [str(missing)]) for key in beside)


def _sentence(problem: Any, content: dict[str, Any], adapter: TypeAdapter[Any]) -> Mistake:
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
            said = problem["msg"].removeprefix("Value error, ")
            message = said.split(" ", 1)[1] if said.split(" ", 1)[0].istitle() else said
            return keys, f"is {value!r}: it {message}"


def _walk(loc: Keys, content: Any, root: dict[str, Any]) -> tuple[Keys, Any, dict[str, Any], dict[str, Any]]:
    """Follow pydantic's location through the content and the schema.

    Returns the keys as the file has them (pydantic's location also holds the tags of unions), the value there, the
    schema of the mapping around it, and the schema of the value itself.
    """
    keys: Keys = ()
    mapping = schema = _resolved(root, root, content)
    for part in loc:
        if part in content if isinstance(content, dict) else _in_list(part, content):
            keys, content, mapping = (*keys, part), content[part], schema
            schema = _resolved(_inner(schema, part), root, content)
        elif isinstance(content, list) or (isinstance(content, dict) and part != content.get("kind")):
            return (*keys, part), None, schema, {}
    return keys, content, mapping, schema


def _in_list(part: str | int, content: Any) -> bool:
    return isinstance(content, list) and isinstance(part, int) and part < len(content)


def _inner(schema: dict[str, Any], part: str | int) -> dict[str, Any]:
    if isinstance(part, int):
        items: dict[str, Any] = schema.get("items", {})
        return items
    others = schema.get("additionalProperties")
    pattern = next(iter(schema.get("patternProperties", {}).values()), None)
    found: dict[str, Any] = schema.get("properties", {}).get(part) or pattern or others or {}
    return found


def _resolved(schema: dict[str, Any], root: dict[str, Any], content: Any) -> dict[str, Any]:
    """`schema` after following references, taking the branch of `X | None` that is not null, and choosing `kind`."""
    while True:
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in schema:
            schema = next(branch for branch in schema["anyOf"] if branch.get("type") != "null")
        elif "discriminator" in schema and isinstance(content, dict):
            kind = content.get("kind")
            reference = schema["discriminator"]["mapping"].get(kind) if isinstance(kind, str) else None
            if reference is None:
                return schema
            schema = {"$ref": reference}
        else:
            return schema
