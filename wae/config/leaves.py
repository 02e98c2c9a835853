"""Nested mappings as flat ones, and how two of them differ, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LONG = 40  # characters of a value that is told; a longer one, such as a checksum, only "changed"


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of everything in a nested mapping that is no mapping with keys."""
    if isinstance(value, dict) and value:
        for part, inner in value.items():
            yield from leaves(inner, f"{name}.{part}" if name else part)
    else:
        yield name, value


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """How the leaves of `new` differ from those of `old`: `epochs was 100 and is 50`; empty if they do not."""
    before, after = (dict(leaves(of)) if of else {} for of in (old, new))
    return [
        _said(name, before, after)
        for name in dict.fromkeys([*before, *after])
        if name not in before or name not in after or before[name] != after[name]
    ]


def _said(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    old, new = (repr(of[name]) if name in of else "absent" for of in (before, after))
    return f"{name} changed" if max(len(old), len(new)) > LONG else f"{name} was {old} and is {new}"
