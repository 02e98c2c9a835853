"""Compares artifacts with their receipts, the present, DVC's lock files and DVC's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wae.pipeline.stage import Job
from wae.provenance.lockfile import cached, contradicted, file_of, lock_of, locked, whole
from wae.provenance.receipt import md5, read
from wae.provenance.state import State

FEW = 6  # if more files of one lock file have the same problem, one line tells it for all
CHECKOUT = "{is_} not here, but DVC recorded {it}: `dvc checkout` brings {it} back"
PULL = "{is_} nowhere here, but DVC recorded {it}: `dvc pull` brings {it}, if a remote has {it}"
REMAKE = "{is_} nowhere here, but DVC recorded {it}; no remote may have {it} (`push: false`): make {it} again"
UNSTORED = "{is_} here, but not in DVC's cache: DVC could not restore {it}; `dvc commit` stores {it}"
ONE, MANY = {"is_": "is", "it": "it"}, {"is_": "are", "it": "them"}

Locked = Callable[[str], dict[str, dict[str, str]]]


@dataclass(frozen=True)
class Finding:
    """A problem: the file, and what is wrong with it."""

    path: str
    wrong: str


@dataclass(frozen=True)
class Record:
    """A file in a lock file: its md5 there, and its md5 now.

    Args:
        stays: whether the licence of its data forbids it on remotes.
    """

    lock: str
    path: str
    md5: str
    now: str | None
    stays: bool = False


def verify(states: Iterable[State], *, deep: bool) -> Iterator[Finding]:
    """The problems of jobs' artifacts and of DVC's records, also of records of jobs that no longer exist.

    Args:
        deep: check DVC's cache too. `Hashes` decides which files are read again.
    """
    of_file = cache(locked)  # a long lock file is slow to read
    records: dict[str, Record] = {}
    objects: dict[str, str] = {}  # md5 -> path of all that DVC recorded, also of jobs that no longer exist
    told: set[str] = set()
    for state in states:
        for job in state.jobs.values():
            if job.receipt not in told:
                told.add(job.receipt)
                own = {record.path: record for record in _recorded(job, state, of_file)}
                records |= own
                yield from _job(job, state, own)
        yield from _lock(_file(state))
        objects |= {md5: path for outs in of_file(_file(state)).values() for path, md5 in outs.items() if md5}
        left = list(_left(state, of_file))
        records |= {record.path: record for record in left}
        changed = "is not what DVC recorded of a job that is in params no more: md5 {}, {} has {}"
        yield from (Finding(of.path, changed.format(of.now, of.lock, of.md5)) for of in left if of.now != of.md5)
    yield from _gone(records.values(), deep=deep)
    if deep:
        yield from _damaged(objects)


def _recorded(job: Job, state: State, of_file: Locked) -> Iterator[Record]:
    """What DVC recorded of a job."""
    file = file_of(job)
    outs = {out.path: out for out in job.stage.written(job.profile, job.scope)}
    for path, digest in of_file(file).get(job.address, {}).items():
        if path in outs and digest:
            stays = outs[path].real and not job.profile.may_leave(job.scope)
            yield Record(str(lock_of(file)), path, digest, state.hash_of(path), stays)


def _file(state: State) -> str:
    """The dvc.yaml of a profile: that of its last job, because data jobs come first."""
    return file_of(list(state.jobs.values())[-1])


def _lock(file: str) -> Iterator[Finding]:
    if not whole(file):
        yield Finding(str(lock_of(file)), "was not written to its end: what it recorded is not known")
    for address in contradicted(file):
        yield Finding(str(lock_of(file)), f"says of {address} what the receipt recorded there does not")


def _left(state: State, of_file: Locked) -> Iterator[Record]:
    """DVC's records of jobs that no longer exist, for files that still exist."""
    made = {path for job in state.jobs.values() for path in (*job.outputs, job.receipt)}
    file = _file(state)
    for outs in of_file(file).values():
        for path, digest in outs.items():
            if path not in made and digest and Path(path).exists():
                yield Record(str(lock_of(file)), path, digest, state.hash_of(path))


def _job(job: Job, state: State, recorded: dict[str, Record]) -> Iterator[Finding]:
    """Compare a job's outputs with its receipt and the lock file, and its receipt with the present."""
    receipt = read(job.receipt)
    if receipt is None:
        words = f"nothing says what made it: its receipt, {job.receipt}, is not there or not as it was written"
        yield from (Finding(path, words) for path in job.outputs if Path(path).exists())
        return
    for path in (*job.outputs, job.receipt):
        now, record, written = state.hash_of(path), recorded.get(path), receipt["outputs"].get(path)
        if now is None:
            if record is None:
                yield Finding(path, "is missing, and its receipt is there")
        elif now != written and path != job.receipt:
            yield Finding(path, f"is not what {job.address} wrote: md5 {now}, its receipt has {written}")
        elif record and now != record.md5:
            yield Finding(path, f"is not what DVC recorded: md5 {now}, {record.lock} has {record.md5}")
    for difference in state.own(job.address):
        if difference.kind != "output":
            yield Finding(job.receipt, f"tells of another state: {difference.words}")


def _gone(records: Iterable[Record], *, deep: bool) -> Iterator[Finding]:
    """Files that DVC recorded but are not here; if `deep`, also files that DVC could not restore."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for record in records:
        stored = (deep or record.now is None) and cached(record.md5).is_file()
        if record.now is None:
            words = CHECKOUT if stored else REMAKE if record.stays else PULL
        elif deep and not stored and record.now == record.md5:
            words = UNSTORED
        else:
            continue
        lacking.setdefault((record.lock, words), []).append(record.path)
    for (lock, words), paths in lacking.items():
        if len(paths) <= FEW:
            yield from (Finding(path, words.format(**ONE)) for path in paths)
        else:
            yield Finding(lock, f"{len(paths)} files, of which {paths[0]} is one, {words.format(**MANY)}")


def _damaged(objects: dict[str, str]) -> Iterator[Finding]:
    for digest, path in objects.items():
        stored = cached(digest)
        if stored.is_file() and md5(stored) != digest:
            yield Finding(str(stored), f"is a damaged cache object: DVC would restore it as {path}; delete it")
