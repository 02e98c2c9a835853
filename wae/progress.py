"""Progress of a training run: on a terminal a bar with the time left, in a log one line per epoch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Columns
from rich.text import Text


class Report(Protocol):
    """The receiver of progress messages. No message makes the program wait for the device."""

    def note(self, text: str) -> None:
        """Receive a text that gets its own line."""

    def step(self, done: int, total: int) -> None:
        """`done` of the run's `total` rounds are finished."""

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """An epoch has ended with this row of the history."""


class Silent:
    """Ignores every message."""

    def note(self, text: str) -> None:
        """Ignore it."""

    def step(self, done: int, total: int) -> None:
        """Ignore it."""

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Ignore it."""


class Bar(Columns):
    """A bar on one line, and below it the last epoch's terms: beside it they would leave it no room."""

    terms = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """The lines to draw."""
        yield from super().get_renderables()
        yield Text(self.terms, style="dim")


class Progress:
    """A bar on a terminal; elsewhere one plain line per epoch. Use it in a `with` statement."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self.console = console or Console(soft_wrap=True, highlight=False)
        self._title = title
        self._live = self.console.is_terminal
        columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Bar(*columns, TimeRemainingColumn(), console=self.console, disable=not self._live)
        self._task = self._bar.add_task(title, total=None)
        self._first: tuple[float, int] | None = None
        self._left = float("nan")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def note(self, text: str) -> None:
        """Print the text on its own line."""
        self.console.print(f"{self._title}: {text}", markup=False)

    def step(self, done: int, total: int) -> None:
        """Move the bar and estimate the time left. Only rounds of this process count: a resumed run starts later."""
        now = time.monotonic()
        self._first = self._first or (now, done)
        began, start = self._first
        self._left = (now - began) / max(done - start, 1) * (total - done)
        if self._live:
            self._bar.update(self._task, completed=done, total=total)

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Print the epoch's mean terms and the time left as one line; on a terminal, show them below the bar."""
        terms = "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
        epoch = f"epoch {row['epoch']:.0f}/{epochs}"
        if self._live:
            self._bar.terms = terms
            self._bar.update(self._task, description=f"{self._title}  {epoch}")
        else:
            self.note(f"{epoch}  {terms}  left {self._left:.0f} s")
