"""The grid of samples of one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wae.figures import write_grids

if TYPE_CHECKING:
    from wae.stage import Job


def run(job: Job) -> None:
    """Samples of the first training seed."""
    title = f"{job.scope['model']} on {job.scope['dataset']}"
    write_grids(job.input("images.npz"), title, {path.stem: path for path in job.output_paths})
