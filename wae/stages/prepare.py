"""Make one array per split from downloaded or drawn images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from wae.data.prepare import prepare

MOST = 8  # processes that decode pictures

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write data/<dataset>/{train,test}.npy and their labels."""
    name = job.scope["dataset"]
    entry = job.profile.data["datasets"][name]
    raw = Path("data/raw") / (entry.get("source") or "")
    prepare(name, entry, raw, Path("data") / name, processes=cores())


def cores() -> int:
    """The number of cores that this process may use, at most MOST: each process takes about 60 MiB."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, allowed)
