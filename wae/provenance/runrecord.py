"""The record of one run of a job: when, where, how long, how much memory. In logs/, not versioned."""

from __future__ import annotations

import fcntl
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wae.errors import UserError
from wae.io import read_json, write_json
from wae.pipeline.stage import Job
from wae.provenance import receipt


@contextmanager
def alone(job: Job) -> Iterator[None]:
    """Lock a job, so that no other process runs it: the receipt of one would describe the outputs of the other.

    Raises:
        UserError: another process runs it now.
    """
    place = Path(".wae/making", job.stage.folder(job.scope), f"{job.address}.lock")
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock is released however the process ends
        except BlockingIOError:
            raise UserError(f"{job.address}: another process is making it now; wait until that has ended") from None
        yield


@contextmanager
def recorded(job: Job) -> Iterator[None]:
    """Context around a job's work: afterwards write its receipt and, also if it fails, the record of the run."""
    begun, start, clock = receipt.begun(job), datetime.now(UTC), time.monotonic()
    record: dict[str, Any] = {"command": job.command, "start": start.isoformat(timespec="seconds"), **_commit()}
    finished = False
    try:
        yield
        receipt.finished(job, begun)
        finished = True
    finally:
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        record |= {"seconds": round(time.monotonic() - clock, 1), "peak_mb": peak // 1024, "finished": finished}
        write_json(path(job), record | _machine())


def path(job: Job) -> Path:
    """The path of the record of a job's last run."""
    axes = (str(job.scope[axis]) for axis in job.stage.over)
    return Path("logs", job.stage.name, job.stage.folder(job.scope), *axes).with_suffix(".run.json")


def seconds(job: Job) -> float | None:
    """How long the last finished run of a job took, if there is a record."""
    try:
        record = read_json(path(job))
    except FileNotFoundError:
        return None
    return float(record["seconds"]) if record["finished"] else None


def _commit() -> dict[str, Any]:
    """The commit, and whether tracked files differ from it; both None if git cannot tell."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.CalledProcessError):  # no git on this node; no repository, or none with a commit
        return {"commit": None, "dirty": None}


def _machine() -> dict[str, Any]:
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch and torch.cuda.is_available() else None
    return {"host": platform.node(), "machine": platform.machine(), "python": platform.python_version(), "gpu": gpu}
