"""Fetch the files of a source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from wae.data.download import MIRROR, download

if TYPE_CHECKING:
    from wae.pipeline.stage import Job

VARIABLE = "WAE_MIRROR"


def run(job: Job) -> None:
    """Get and verify every file of the source: from the mirror in WAE_MIRROR, else mirror/, else its publisher."""
    source = job.scope["source"]
    mirrors = [os.environ.get(VARIABLE), str(MIRROR) if MIRROR.is_dir() else None]
    download(source, job.profile.data["sources"][source], Path("data/raw") / source, list(filter(None, mirrors)))
