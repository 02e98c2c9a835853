"""Progress of a long job: on a terminal a bar with the time left, in a log a line from time to time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

Advance = Callable[[int], None]
QUIET = 2.0  # seconds between two lines
UNITS: dict[str, Callable[[], tuple[ProgressColumn, ...]]] = {
    "bytes": lambda: (DownloadColumn(), TransferSpeedColumn()),
    "images": lambda: (MofNCompleteColumn(),),
}


def say(line: str) -> None:
    """Print one line on stderr, for the user or a log."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def progress(label: str, total: int | None, unit: str, done: int = 0) -> Iterator[Advance]:
    """Yields a function; call it with the number of further `unit`s (a key of UNITS) that are done, of `total`."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), *UNITS[unit](), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(label, total=total, completed=done)
            yield lambda more: bar.advance(task, more)
    else:
        yield _lines(label, total, unit, done)


def _lines(label: str, total: int | None, unit: str, done: int) -> Advance:
    """Prints each tenth of `total`, at most one line in QUIET seconds; nothing if the total is not known."""
    said, tenth = time.monotonic(), 0

    def advance(more: int) -> None:
        nonlocal done, said, tenth
        done += more
        if total and done * 10 // total > tenth and time.monotonic() - said > QUIET:
            said, tenth = time.monotonic(), done * 10 // total
            say(f"{label}: {min(100, done * 100 // total)}% of {total:,} {unit}")

    return advance
