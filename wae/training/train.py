"""Training: a run from its first round, or from a checkpoint, to its last."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wae.progress import Report, Silent
from wae.training.checkpoint import Checkpoint, interruptions
from wae.training.run import Run


@dataclass(frozen=True)
class Trained:
    """The result of a run: the model's `state`, on the CPU, and one row of mean terms per epoch."""

    state: dict[str, Tensor]
    history: list[dict[str, float]]


def train(
    dataset: Mapping[str, Any],
    entry: Mapping[str, Any],
    images: np.ndarray,
    *,
    seed: int,
    device: torch.device | str,
    checkpoint: Path | None = None,
    software: str = "",
    checkpoint_seconds: float = 30.0,
    report: Report | None = None,
) -> Trained:
    """Train the model of a parameter entry on uint8 images (N, c, h, w); bit-identical for the same arguments.

    Args:
        checkpoint: a scratch file, removed at the end; a run that was stopped continues from it.
        software: identifies the code that is run; a checkpoint of other code is ignored.

    Raises:
        Diverged: a loss, or a weight after the last step, is not finite.
        KeyboardInterrupt, SystemExit: SIGINT or SIGTERM came; the checkpoint is written.
    """
    report = report or Silent()
    run = Run(dataset, entry, images, seed=seed, device=device)
    kept = Checkpoint(checkpoint, software + run.fingerprint(images) if checkpoint else "", checkpoint_seconds)
    for name, value in run.constants.items():
        report.note(f"{name} is {value:g}")
    if note := kept.resume(run):
        report.note(note)
    _finish(run, kept, report)
    run.verify()
    kept.remove()
    return Trained(run.weights(), run.history)


def _finish(run: Run, kept: Checkpoint, report: Report) -> None:
    with interruptions() as came:
        while not run.done and not came():
            _advance(run, report)
            kept.save_if_due(run)
        if number := came():
            kept.save(run)
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def _advance(run: Run, report: Report) -> None:
    epoch = len(run.history)
    run.advance()
    report.step(run.played, run.total)
    if len(run.history) > epoch:
        report.epoch(run.history[-1], run.epochs)
