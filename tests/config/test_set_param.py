"""`dvc exp run --set-param` changes the value that it names and no other, in every params file of the project."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from support.project import ROOT

from wae.config.check import aliased
from wae.config.yaml import Document

PROFILES = ["params.yaml", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "params").glob("*/params.yaml"))]
FILES = ["data/params.yaml", *PROFILES]
Leaf = tuple[str, ...]


def numeric(value: object) -> bool:
    one = isinstance(value, int | float) and not isinstance(value, bool)
    return one or (isinstance(value, list) and bool(value) and all(map(numeric, value)))


def leaves(node: Mapping[str, Any], keys: Leaf = ()) -> Iterator[tuple[Leaf, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, (*keys, key))
        else:
            yield (*keys, key), value


def numbers(content: Mapping[str, Any]) -> list[tuple[Leaf, Any]]:
    """Every numeric leaf; not those with a dot in a key (names of files), which no override can name."""
    return [(keys, value) for keys, value in leaves(content) if numeric(value) and not any("." in key for key in keys)]


def another(value: Any, index: int) -> Any:
    return [another(inner, index) for inner in value] if isinstance(value, list) else value + 1000 + index


def rounds(of: list[tuple[Leaf, Any]]) -> Iterator[dict[Leaf, Any]]:
    """Every leaf once with another value, one of every entry (`models.digits.vae`) at a time: one alone is too slow."""
    entries = [list(some) for _, some in groupby(of, key=lambda leaf: leaf[0][:3])]
    for some in zip_longest(*entries):
        yield {leaf[0]: another(leaf[1], index) for index, leaf in enumerate(some) if leaf}


def overridden(file: Path, chosen: Mapping[Leaf, Any]) -> dict[Leaf, Any]:
    """The leaves of a file after DVC has set the chosen ones."""
    apply_overrides(str(file), [f"{'.'.join(keys)}={value}".replace(" ", "") for keys, value in chosen.items()])
    return dict(leaves(Document(file).content))


@pytest.mark.parametrize("name", FILES)
def test_every_number_can_be_set_and_no_other_changes(name: str, tmp_path: Path) -> None:
    before = dict(leaves(Document(ROOT / name).content))
    told = []
    for chosen in rounds(numbers(Document(ROOT / name).content)):
        after = overridden(Path(shutil.copy(ROOT / name, tmp_path / "params.yaml")), chosen)
        told += [keys for keys in before | after if after.get(keys) != (before | chosen).get(keys)]
    assert [".".join(keys) for keys in told] == []


def test_each_number_alone_in_the_smallest_file(tmp_path: Path) -> None:
    name = "params/smoke/params.yaml"
    before = dict(leaves(Document(ROOT / name).content))
    for keys, value in numbers(Document(ROOT / name).content):
        after = overridden(Path(shutil.copy(ROOT / name, tmp_path / "params.yaml")), {keys: another(value, 0)})
        assert after == {**before, keys: another(value, 0)}


ENTRY = re.compile(r"^    ([\w-]+):(.*\n(?:      #.*\n)?)", re.MULTILINE)  # its first line, and a comment below that
SAYS = re.compile(r"as ([\w-]+) but for (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", PROFILES)
def test_what_a_comment_says_of_an_entry_is_true(name: str) -> None:
    """`# as wae-mmd but for penalty`: the entries are written out, and a comment says in what they differ."""
    text = (ROOT / name).read_text(encoding="utf-8").split("\nmodels:\n")[1]
    content, datasets = Document(ROOT / name).content["models"], re.split(r"^  ([\w-]+):\n", text, flags=re.MULTILINE)
    checked = 0
    for dataset, entries in zip(datasets[1::2], datasets[2::2]):
        for model, head in ENTRY.findall(entries):
            for base, keys in SAYS.findall(head):
                one, other = content[dataset][model], content[dataset][base]
                differ = [key for key in one | other if one.get(key) != other.get(key)]
                assert sorted(re.split(r", | and ", keys)) == sorted(differ), f"{name}: {dataset}.{model}"
                checked += 1
    assert checked == len(SAYS.findall(text)) > 0


# what a file has below `models:` -> the places that its sentences name
SHARED = {
    "an alias": ("a: &a {x: 1, y: &y {z: 2}}\nb: {x: 1, y: *y}", ["b.y is, by an alias or a merge, a.y itself"]),
    "a merge": ("a: &a {x: 1, y: {z: 2}}\nb: {<<: *a, x: 3}", ["b.y is, by an alias or a merge, a.y itself"]),
    "a whole entry": ("a: &a {x: 1}\nb: *a", ["b is, by an alias or a merge, a itself"]),
    "a merge in place": ("a: &a {x: 1}\nb:\n  <<: [&c {w: 1}, *a]\nd: {<<: *c}", ["DVC cannot write it back"]),
    "a flat merge": ("a: &a {x: 1, l: [1, 2]}\nb: {<<: *a, x: 3}", []),
    "a list and a number": ("a: {x: &x 1, l: &l [1, 2]}\nb: {x: *x, l: *l}", []),
}


@pytest.mark.parametrize("case", SHARED)
def test_a_shared_mapping_is_told_and_what_is_not_told_can_be_set(case: str, tmp_path: Path) -> None:
    text, words = SHARED[case]
    path = tmp_path / "params.yaml"
    path.write_text(text + "\n", encoding="utf-8")
    told = aliased(path)
    assert len(told) == len(words)
    assert all(word in sentence for word, sentence in zip(words, told))
    right = []
    for keys, value in numbers(Document(path).content):
        path.write_text(text + "\n", encoding="utf-8")
        before = dict(leaves(Document(path).content))
        try:
            right.append(overridden(path, {keys: another(value, 0)}) == {**before, keys: another(value, 0)})
        except ValueError:
            right.append(False)
    assert all(right) == (not words)


def test_no_file_of_the_project_shares_a_mapping() -> None:
    assert [sentence for name in FILES for sentence in aliased(ROOT / name)] == []
