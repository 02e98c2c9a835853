"""The record of one run of a job: when, where, how long, how much memory. In logs/, not versioned."""

from __future__ import annotations

import fcntl
import platform
import resource
import signal
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
    place = _place(job)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock is released however the process ends
        except BlockingIOError:
            raise UserError(f"{job.address}: another process is making it now; wait until that has ended") from None
        yield


def under_way(job: Job) -> bool:
    """Whether a process makes a job now."""
    try:
        with _place(job).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # it was never made here, or nobody may lock here
        return False
    return False


def _place(job: Job) -> Path:
    return Path(".wae/making", job.stage.folder(job.scope), f"{job.address}.lock")


@contextmanager
def recorded(job: Job) -> Iterator[None]:
    """Context around a job's work: afterwards write its receipt and, also if it fails, the record of the run.

    The record is written before too: one of a run that was killed has no `ended`.
    """
    begun, start, clock = receipt.begun(job), datetime.now(UTC), time.monotonic()
    record: dict[str, Any] = {"command": job.command, "start": start.isoformat(timespec="seconds"), **_commit()}
    write_json(path(job), record | {"finished": False} | _machine())
    finished, ended = False, "finished"
    try:
        yield
        receipt.finished(job, begun)
        finished = True
    except BaseException as error:
        ended = _ended(error)
        raise
    finally:
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        record |= {
            "seconds": round(time.monotonic() - clock, 1),
            "peak_mb": peak // 1024,
            "finished": finished,
            "ended": ended,
        }
        write_json(path(job), record | _machine())


def path(job: Job) -> Path:
    """The path of the record of a job's last run."""
    axes = (str(job.scope[axis]) for axis in job.stage.over)
    return Path("logs", job.stage.name, job.stage.folder(job.scope), *axes).with_suffix(".run.json")


def seconds(job: Job) -> float | None:
    """How long the last finished run of a job took, if there is a record."""
    try:
        record = read_json(path(job))
        return float(record["seconds"]) if record["finished"] else None
    except (OSError, ValueError, KeyError, TypeError):  # none, one that may not be read, or none of ours
        return None


def _ended(error: BaseException) -> str:
    """How a run ended that did not finish, in words."""
    match error:
        case KeyboardInterrupt():
            return "was stopped by Ctrl-C"
        case SystemExit(code=int(code)) if code > 128:
            return f"was stopped by {signal.Signals(code - 128).name}"
        case SystemExit(code=code):
            return f"failed with exit code {code}"
        case UserError():
            return f"failed: {error}"
    return f"failed: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


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
