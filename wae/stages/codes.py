"""Pictures from the codes of one auto-encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wae.stages import samples

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Reconstructions, interpolations, ex-post samples and the codes of the first training seed."""
    samples.run(job)
