"""The grids of samples of one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wae.figures import write_grids

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Draw samples of the first training seed, and the training images nearest to them."""
    images = job.input("images.npz")
    title = f"{job.scope['model']} on {job.scope['dataset']}, seed {images.parent.name}"
    write_grids(images, title, {path.stem: path for path in job.output_paths})
