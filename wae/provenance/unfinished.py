"""What runs left that did not finish: how they ended, their logs, their checkpoints, and what DVC can bring back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wae.config.leaves import changes
from wae.io import read_json
from wae.pipeline.stage import Job
from wae.provenance import runrecord
from wae.provenance.lock import full_address
from wae.provenance.lockfile import cached, file_of, locked
from wae.provenance.receipt import Hashes, present, read
from wae.training.left import about, few, where

CONSTANT = "constant"  # the schedule that is no function of the run's length


@dataclass(frozen=True)
class Left:
    """A checkpoint: its file, what is written of it, and why the next run of the job does not go on from it.

    Args:
        about: empty if nothing is written of it.
        old: why the next run cannot go on from it; empty if it can.
        sure: whether it does. If not, its own learning rates decide, which training alone computes.
    """

    path: Path
    about: Mapping[str, Any]
    old: str = ""
    sure: bool = True

    @property
    def bytes(self) -> int:
        """The size of its file."""
        return self.path.stat().st_size

    @property
    def where(self) -> str:
        """How far its run is: `after 3 of 5 epochs`."""
        return where(self.about)


# ---- how the last run ended --------------------------------------------------


def last_run(job: Job) -> str:
    """A sentence on the last run of a job, if it did not finish, or runs now; else an empty text."""
    if runrecord.under_way(job):
        return f"`{job.command}` is making it now"
    try:
        record = read_json(runrecord.path(job))
    except (OSError, ValueError):
        return ""
    if record.get("finished", True):
        return ""
    failed = str(record.get("ended") or "was killed")
    parts = [f"its last run {failed}"]
    best = farthest(left for left in checkpoints(job) if not left.about.get("ended"))
    if best and not failed.startswith("failed"):
        parts.append(f"`{job.command}` goes on from its checkpoint, {best.where} ({best.path})")
    log = Path(str(runrecord.path(job)).replace(".run.json", ".log"))
    return "; ".join([*parts, f"its log is {log}"] if log.is_file() else parts)


def restorable(job: Job, hash_of: Hashes) -> str:
    """The command of DVC that brings a job's outputs back, if DVC recorded them of the present state; else empty."""
    recorded = locked(file_of(job)).get(job.address, {})
    wanted = [recorded.get(path) for path in (*job.outputs, job.receipt)]
    if not all(digest and cached(digest).is_file() for digest in wanted):
        return ""
    receipt = read(str(cached(str(wanted[-1]))))
    now = present(job, hash_of)
    if receipt is None or any(receipt[name] != now[name] for name in now):
        return ""
    return f"dvc checkout {full_address(job, job.address)}"


# ---- checkpoints -------------------------------------------------------------


def checkpoints(job: Job) -> list[Left]:
    """The checkpoints of a job's runs."""
    return [_left(path, job) for path in sorted(job.scratch.glob("*.pt"))]


def everywhere(jobs: Iterable[Job]) -> Iterator[tuple[Left, Job | None]]:
    """Every checkpoint under scratch/results/, and its job; None where params have that job no more."""
    of = {job.scratch: job for job in jobs}
    for path in sorted(path for part in ("train", "results") for path in Path("scratch", part).glob("**/*.pt")):
        job = of.get(path.parent)
        yield (_left(path, job) if job else Left(path, about(path), "no model and seed of params has it")), job


def farthest(left: Iterable[Left]) -> Left | None:
    """The checkpoint from which the next run goes on; None if there is none."""
    usable = [of for of in left if of.sure and not of.old]
    return max(usable, key=lambda of: (of.about["epoch"], of.about["round"]), default=None)


def _left(path: Path, job: Job) -> Left:
    found, now = about(path), _basis(job)
    if not found:
        return Left(path, found, "nothing says what run left it")
    differ = changes({key: found["basis"].get(key) for key in now}, now)
    other_length = found["epochs"] != _epochs(job)
    if other_length and found["epoch"] + bool(found["round"]) <= _epochs(job) and len(differ) == 1:
        return Left(path, found, sure=not _schedules(job))
    return Left(path, found, few(differ))


def _schedules(job: Job) -> list[str]:
    """The kinds of schedules, of learning rates or of lambda, that depend on the run's length."""
    model = _basis(job)["model"]
    used = [of["schedule"] for of in model["optimisers"].values()] + [model.get("annealing") or {"kind": CONSTANT}]
    return sorted({of["kind"] for of in used} - {CONSTANT})


def anew(job: Job) -> str:
    """A sentence on a training whose number of epochs is another now: does it go on from the weights that there are?"""
    if best := farthest(checkpoints(job)):
        return f"it goes on from {best.path}, {best.where}"
    if kinds := _schedules(job):
        schedules = f"the schedule {' and '.join(kinds)} is in fractions of the run"
        return (
            f"it trains anew, since {schedules}: with another length, epochs that are done had other rates or weights"
        )
    return "it trains anew: no end of a shorter run is left in scratch/"


def _epochs(job: Job) -> int:
    return int(_basis(job)["model"]["epochs"])


def _basis(job: Job) -> dict[str, Any]:
    """What a checkpoint of the job's next run would be of, as far as it is known without torch and data."""
    dataset, model = job.scope["dataset"], job.scope["model"]
    params, data = job.profile.params, job.profile.data
    known = {"model": params["models"][dataset][model], "dataset": data["datasets"][dataset], "seed": job.scope["seed"]}
    device = params["compute"]["device"]
    if device != "auto":  # which takes the device that there is
        known |= {"device": device, "threads": job.stage.threads(job.profile) if device == "cpu" else 0}
    return known | job.software()


# ---- the command -------------------------------------------------------------


def listed(jobs: Iterable[Job]) -> Iterator[str]:
    """A line for each checkpoint: how far its run is, its size, and whether a next run goes on from it."""
    found = list(everywhere(jobs))
    for left, job in found:
        yield f"{left.path}: {left.where}, {megabytes(left.bytes)}: {_use(left, job)}"
    old = [left for left, _ in found if left.old]
    if old:
        size = megabytes(sum(left.bytes for left in old))
        yield f"{len(old)} of {len(found)} are old, {size}: `wae checkpoints --clear` deletes them"
    elif not found:
        yield "there is no checkpoint in scratch/"


def cleared(jobs: Iterable[Job], *, every: bool) -> Iterator[str]:
    """Delete the old checkpoints, or all; a line for each. Those of a job that is being made stay."""
    freed = 0
    for left, job in list(everywhere(jobs)):
        if job and runrecord.under_way(job):
            yield f"{left.path}: stays: {job.address} is being made"
        elif left.old or every:
            freed += left.bytes
            left.path.unlink(missing_ok=True)
            left.path.with_suffix(".json").unlink(missing_ok=True)
            yield f"{left.path}: deleted, {left.where}{': ' if left.old else ''}{left.old}"
    yield f"{megabytes(freed)} freed"


def megabytes(size: int) -> str:
    """A size in MB with one decimal."""
    return f"{size / 1e6:.1f} MB"


def _use(left: Left, job: Job | None) -> str:
    if left.old or job is None:
        return f"old: {left.old}"
    if not left.sure:
        return f"`{job.command}` has another length; it goes on from it if its learning rates so far are the same"
    if left.about["ended"] and left.about["epochs"] == _epochs(job):
        return f"a finished run; with more epochs, `{job.command}` goes on from it"
    return f"`{job.command}` goes on from it"
