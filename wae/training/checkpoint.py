"""A run's state on disk, written between rounds: a run that was stopped continues from it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from types import FrameType
from typing import Any, Protocol

import torch

from wae.io import replacing


class Resumable(Protocol):
    """An object that can save and load its state: tensors, numbers, strings, lists and dictionaries; no classes."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""


class Checkpoint:
    """A scratch file for one run, replaced every `seconds`; only a run with the same fingerprint continues from it.

    Args:
        path: the file; None saves nothing.
        fingerprint: identifies everything that the run's result depends on, byte for byte.
    """

    def __init__(self, path: Path | None, fingerprint: str, seconds: float) -> None:
        self._path, self._fingerprint, self._seconds = path, fingerprint, seconds
        self._saved = time.monotonic()

    def resume(self, run: Resumable) -> str:
        """Load the saved state into `run`; return a sentence on what happened, an empty one if there is no file."""
        if self._path is None or not self._path.exists():
            return ""
        try:
            found = torch.load(self._path, map_location="cpu", weights_only=True)
        except (EOFError, RuntimeError, UnpicklingError) as error:
            return f"ignoring {self._path}: it cannot be read ({type(error).__name__})"
        if found["fingerprint"] != self._fingerprint:
            return f"ignoring {self._path}: it was left by a run with other parameters, data, seed, device or software"
        run.load_state_dict(found["run"])
        return f"going on from {self._path}"

    def save(self, run: Resumable) -> None:
        """Write the state of `run`, which must be between two rounds."""
        if self._path is not None:
            with replacing(self._path) as beside:
                torch.save({"fingerprint": self._fingerprint, "run": run.state_dict()}, beside)
        self._saved = time.monotonic()

    def save_if_due(self, run: Resumable) -> None:
        """Write the state of `run` if the last one is older than `seconds`."""
        if time.monotonic() - self._saved >= self._seconds:
            self.save(run)

    def remove(self) -> None:
        """Delete the file, since the run has ended."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


@contextmanager
def interruptions() -> Iterator[Callable[[], int]]:
    """Hold back SIGINT and SIGTERM; yield a function that returns the signal that came first, or 0.

    A run that stops within a round cannot continue to the same bytes, so the caller asks between rounds. A second
    SIGINT is not held back.
    """
    came: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        if came and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return
    before = {number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: came[0] if came else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
