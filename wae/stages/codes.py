"""The grids of one auto-encoder that start from images of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wae.stages import samples

if TYPE_CHECKING:
    from wae.stage import Job


def run(job: Job) -> None:
    """Reconstructions and interpolations of the first training seed."""
    samples.run(job)
