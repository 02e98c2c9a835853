"""The JSON file beside a checkpoint: what run left it and how far that run is. Read without torch.

A checkpoint's `basis` is everything that the result of its run depends on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from wae.io import read_json


def about(path: Path) -> dict[str, Any]:
    """What the file beside a checkpoint says of it; empty if there is none."""
    with suppress(OSError, ValueError):
        match read_json(path.with_suffix(".json")):
            case {
                "basis": dict(), "epoch": int(), "epochs": int(), "round": int(), "rounds": int(), "ended": bool()
            } as found:  # fmt: skip
                return dict(found)
    return {}


def few(words: list[str]) -> str:
    """The first two of some sentences, and how many more there are."""
    return "; ".join(words[:2]) + (f"; and {len(words) - 2} more" if len(words) > 2 else "")


def where(about: Mapping[str, Any]) -> str:
    """`after 3 of 5 epochs`, or `in epoch 4 of 5`."""
    if not about:
        return "at an unknown epoch"
    if about["round"]:
        return f"in epoch {about['epoch'] + 1} of {about['epochs']}"
    return f"after {about['epoch']} of {about['epochs']} epochs"
