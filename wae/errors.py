"""Mistakes and mishaps that a person can mend: shown as one sentence, without a traceback."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """A sentence that says where, what was found, and what is allowed."""


def near(name: object, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where nothing is near."""
    found = nearest(name, allowed)
    return f"; did you mean {found!r}?" if found else ""


def nearest(name: object, allowed: Iterable[str]) -> str:
    """What of `allowed` was probably meant, or nothing."""
    return next(iter(get_close_matches(str(name), list(allowed), n=1, cutoff=0.5)), "")


def one_of(name: object, allowed: Iterable[str]) -> str:
    """The sentence for a name that is not in a list."""
    allowed = list(allowed)
    return f"is {name!r}; allowed: {', '.join(map(str, allowed))}{near(name, allowed)}"
