"""Training: a run from its first round, or from a checkpoint, to its last."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wae.progress import Report, Silent
from wae.training.checkpoint import Checkpoint, interruptions
from wae.training.left import where
from wae.training.run import Run


@dataclass(frozen=True)
class Trained:
    """The result of a run: the model's `state`, on the CPU, and one row of mean terms per epoch.

    `end` is called once both are written: it removes the checkpoint, or keeps it, if a longer run could go on from it.
    """

    state: dict[str, Tensor]
    history: list[dict[str, float]]
    end: Callable[[], None] = lambda: None


def train(
    dataset: Mapping[str, Any],
    entry: Mapping[str, Any],
    images: np.ndarray,
    *,
    seed: int,
    device: torch.device | str,
    checkpoint: Path | None = None,
    software: Mapping[str, Any] | None = None,
    checkpoint_seconds: float = 30.0,
    report: Report | None = None,
) -> Trained:
    """Train the model of a parameter entry on uint8 images (N, c, h, w); bit-identical for the same arguments.

    Args:
        checkpoint: a folder of scratch files. A run that was stopped continues from its own, or from one of a shorter
            or longer run that would have had the same learning rates so far.
        software: identifies the code that is run, in nested mappings; a checkpoint of other code is not taken up.

    Raises:
        Diverged: a loss, or a weight after the last step, is not finite.
        KeyboardInterrupt, SystemExit: SIGINT or SIGTERM came; the checkpoint is written.
    """
    report = report or Silent()
    run = Run(dataset, entry, images, seed=seed, device=device)
    basis = {**run.basis(images), **(software or {})} if checkpoint else {}
    kept = Checkpoint(checkpoint, basis, checkpoint_seconds)
    for name, value in run.constants.items():
        report.note(f"{name} is {value:g}")
    for note in kept.resume(run):
        report.note(note)
    _finish(run, kept, report)
    run.verify()
    kept.save(run)  # until the outputs are written: they may not be writable

    def end() -> None:
        if note := kept.end(run):
            report.note(note)

    return Trained(run.weights(), run.history, end)


def _finish(run: Run, kept: Checkpoint, report: Report) -> None:
    with interruptions() as came:
        while not run.done and not came():
            _advance(run, report)
            kept.save_if_due(run)
        if number := came():
            kept.save(run)
            report.note(f"stopped {where(run.position)}; the same command goes on from {kept.path}")
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def _advance(run: Run, report: Report) -> None:
    epoch = len(run.history)
    run.advance()
    report.step(run.played, run.total)
    if len(run.history) > epoch:
        report.epoch(run.history[-1], run.epochs)
