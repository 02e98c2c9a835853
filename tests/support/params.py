"""Params files that differ from a committed one in a few values."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from support.project import ROOT
from wae.config.check import Mistakes, load
from wae.config.yaml import Document

DATA = ROOT / "data/params.yaml"
Change = Callable[[dict[str, Any]], None]


def content(profile: str) -> dict[str, Any]:
    """The plain content of a profile's params file."""
    return deepcopy(Document(ROOT / "params" / profile / "params.yaml").content)


def put(value: Any, *keys: str | int) -> Change:
    """A change that puts a value at these keys."""

    def change(params: dict[str, Any]) -> None:
        node: Any = params
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = value

    return change


def sentences(folder: Path, params: dict[str, Any]) -> list[str]:
    """What the loader says of this content of a params file; empty if it takes it."""
    path = folder / "params.yaml"
    path.write_text(json.dumps(params), encoding="utf-8")
    try:
        load(path, DATA)
    except Mistakes as error:
        return [sentence.removeprefix(f"{path}:") for sentence in error.sentences]
    return []
