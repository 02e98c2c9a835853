"""The error of the data stages for wrong input, and for files that cannot be read or written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wae.errors import UserError

MOST = 10  # sentences of one message


class DataError(UserError):
    """A file or an entry that cannot be used."""


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Errors of the operating system while `path` is read, as DataError."""
    with _refused(path, "read"):
        yield


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Errors of the operating system while `path` is written, as DataError."""
    with _refused(path, "written"):
        yield


@contextmanager
def _refused(path: Path | str, deed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{error.filename or path} cannot be {deed} ({error.strerror or error})") from error


def all_of(where: object, wrong: Sequence[str]) -> DataError:
    """One error for all pictures that cannot be used: the sentence of one, or the first MOST and their number."""
    if len(wrong) == 1:
        return DataError(wrong[0])
    more = [f"  and {len(wrong) - MOST:,} more"] if len(wrong) > MOST else []
    lines = [f"{where}: {len(wrong):,} pictures cannot be used", *(f"  {text}" for text in wrong[:MOST]), *more]
    return DataError("\n".join(lines))
