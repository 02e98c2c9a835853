"""Measure real training images as if a model had made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wae.io import read_array
from wae.metrics.evaluate import floor
from wae.stages import measure

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write metrics.json and images.npz of the table's `data` row."""
    settings, device, generator = measure.start(job)
    train, test = read_array(job.input("train.npy")), read_array(job.input("test.npy"))
    measure.write(job, floor(train, test, measure.extractors(job, settings, device), settings, generator))
