"""Errors that the user can correct. They are shown as one sentence, without a traceback."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """An error for the user. Its sentence says the place, what was found, and what is allowed."""


MACHINE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def correctable(error: Exception) -> str:
    """The sentence of a UserError, of a file that may not be read or written, or of a full disk. Raises any other."""
    if isinstance(error, OSError) and error.errno in MACHINE:
        return f"wae: {error.filename or 'a file'} cannot be used ({error.strerror})"
    if isinstance(error, UserError):
        return str(error)
    raise error


def near(name: object, allowed: Iterable[str]) -> str:
    """The text `; did you mean 'x'?`, or an empty text if no allowed name is similar."""
    found = nearest(name, allowed)
    return f"; did you mean {found!r}?" if found else ""


def nearest(name: object, allowed: Iterable[str]) -> str:
    """The allowed name that is most similar to `name`, or an empty text."""
    return next(iter(get_close_matches(str(name), list(allowed), n=1, cutoff=0.5)), "")


def one_of(name: object, allowed: Iterable[str]) -> str:
    """The sentence for a name that is not in a list."""
    allowed = list(allowed)
    return f"is {name!r}; allowed: {', '.join(map(str, allowed))}{near(name, allowed)}"
