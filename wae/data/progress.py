"""How far a long job is: a bar with the time left on a terminal, a line now and then in a log."""

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
    """One line for the person or the log that follows the job."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def progress(label: str, total: int | None, unit: str, done: int = 0) -> Iterator[Advance]:
    """Yields a function that is told how many more `unit`s (a key of UNITS) are done of `total`."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), *UNITS[unit](), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(label, total=total, completed=done)
            yield lambda more: bar.advance(task, more)
    else:
        yield _lines(label, total, unit, done)


def _lines(label: str, total: int | None, unit: str, done: int) -> Advance:
    """Reports each tenth of `total`, but not every moment; nothing where the total is not known."""
    said, tenth = time.monotonic(), 0

    def advance(more: int) -> None:
        nonlocal done, said, tenth
        done += more
        if total and done * 10 // total > tenth and time.monotonic() - said > QUIET:
            said, tenth = time.monotonic(), done * 10 // total
            say(f"{label}: {min(100, done * 100 // total)}% of {total:,} {unit}")

    return advance
