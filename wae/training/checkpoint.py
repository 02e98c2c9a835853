"""Runs' states on disk, written between rounds: a run that was stopped continues from its own, or from a shorter run's.

Every run has its own file, named by everything that its result depends on, so no run destroys the state of another.
A JSON file beside it says what that is and how far the run is: `wae checkpoints` and `wae why` read it.
"""

from __future__ import annotations

import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from types import FrameType
from typing import Any, Protocol

import torch

from wae.config.leaves import changes
from wae.io import replacing, write_json
from wae.training.left import about, few, where

TOLD = 3  # most checkpoints of other runs that a log names


class Resumable(Protocol):
    """An object that can save and load its state: tensors, numbers, strings, lists and dictionaries; no classes."""

    @property
    def position(self) -> dict[str, int]:
        """`epochs` and `rounds` of the whole run, and how many of them, as `epoch` and `round`, are done."""

    def alike(self, epochs: int, begun: int) -> bool:
        """Whether a run of `epochs` epochs is the same as this one in its first `begun` epochs."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""


class Checkpoint:
    """The scratch file of one run, replaced every `seconds`.

    Args:
        folder: of this file and of those of other runs of the same output; None saves nothing.
        basis: everything that the run's result depends on, byte for byte: nested mappings of numbers and strings. The
            run's length is in it as `model.epochs`.
    """

    def __init__(self, folder: Path | None, basis: Mapping[str, Any], seconds: float) -> None:
        self._folder, self._basis, self._seconds = folder, json.loads(json.dumps(basis)), seconds
        self._key = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()
        self._saved = time.monotonic()

    @property
    def path(self) -> Path | None:
        """The file of this run."""
        return self._folder and self._folder / f"{self._key[:16]}.pt"

    def resume(self, run: Resumable) -> list[str]:
        """Load the saved state that is farthest into `run`; return a sentence on each that is there."""
        said, others = [], []
        for path, told in self._found():
            if why := self._unfit(path, told, run):
                others.append(f"not going on from {path}, {where(told)}: {why}")
                continue
            try:
                found = torch.load(path, map_location="cpu", weights_only=True)
            except (EOFError, RuntimeError, UnpicklingError) as error:
                others.append(f"not going on from {path}: it cannot be read ({type(error).__name__})")
                continue
            run.load_state_dict(found["run"])
            said = [f"going on from {path}, {where(run.position)}"]
            break
        more = [f"{len(others) - TOLD} more: `wae checkpoints` lists them"] if len(others) > TOLD else []
        return [*said, *others[:TOLD], *more]

    def _found(self) -> list[tuple[Path, dict[str, Any]]]:
        """The checkpoints of the folder and what is written of them, the farthest first."""
        paths = sorted(self._folder.glob("*.pt")) if self._folder else []
        return sorted(((path, about(path)) for path in paths), key=lambda of: -_played(of[1]))

    def _unfit(self, path: Path, about: Mapping[str, Any], run: Resumable) -> str:
        """Why `run` cannot continue from a checkpoint; empty if it can."""
        own, now = path == self.path, run.position
        if not about:
            return "" if own else "nothing says what run left it"
        then = about["basis"]
        if differ := changes(_without_length(then), _without_length(self._basis)):
            return few(differ)
        begun = about["epoch"] + bool(about["round"])
        if not run.alike(about["epochs"], begun):
            length = f"its run had {about['epochs']} epochs, this one has {now['epochs']}"
            return f"{length}, and the learning rates or the weight of the epochs that it played are others"
        if not own and _played(about) > now["epochs"]:
            return f"this run ends earlier, after {now['epochs']}"
        if own and about["ended"]:
            return "it is the end of this very run, kept for a longer one; this one starts anew"
        return ""

    def save(self, run: Resumable, *, ended: bool = False) -> None:
        """Write the state of `run`, which must be between two rounds; `ended` if its result is written too."""
        if self.path is not None:
            with replacing(self.path) as beside:
                torch.save({"run": run.state_dict()}, beside)
            write_json(self.path.with_suffix(".json"), {**run.position, "ended": ended, "basis": self._basis})
        self._saved = time.monotonic()

    def save_if_due(self, run: Resumable) -> None:
        """Write the state of `run` if the last one is older than `seconds`."""
        if time.monotonic() - self._saved >= self._seconds:
            self.save(run)

    def end(self, run: Resumable) -> str:
        """Delete the file of a run that has ended, or keep the end, if a longer run could go on from it.

        Returns a sentence on a kept one.
        """
        epochs = run.position["epochs"]
        if self.path is None or not epochs or not run.alike(2 * epochs, epochs):
            self.remove()
            return ""
        self.save(run, ended=True)
        return f"{self.path} keeps this end: with more epochs, the same command goes on from it"

    def remove(self) -> None:
        """Delete the file."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path.with_suffix(".json").unlink(missing_ok=True)


def _without_length(basis: Mapping[str, Any]) -> dict[str, Any]:
    model = {name: value for name, value in basis.get("model", {}).items() if name != "epochs"}
    return {**basis, "model": model}


def _played(about: Mapping[str, Any]) -> float:
    """Epochs played, as a fraction in the middle of one; 0 where nothing is known."""
    return about["epoch"] + about["round"] / max(about["rounds"], 1) if about else 0.0


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
