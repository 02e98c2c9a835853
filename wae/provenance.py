"""Questions about artifacts: why one is up to date or not, where it came from, and whether it is what it says."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wae import runrecord
from wae.dag import data_jobs, jobs
from wae.errors import UserError, near
from wae.lockfile import cached, file_of, locked
from wae.profile import Profile
from wae.receipt import KEYWORD, Hashes, md5, present, read, write
from wae.render import all_data
from wae.stage import Job
from wae.state import State


def state_of(path: str) -> State:
    """The state of the profile in whose results a path lies; under data/, of what all profiles share."""
    parts = Path(path).parts
    if parts[:1] == ("data",):
        return State(data_jobs(all_data()), Hashes())
    if parts[:1] != ("results",):
        raise UserError(f"{path}: is no output of a job; those lie in data/ and results/")
    name = parts[1] if len(parts) > 1 and parts[1] in Profile.names() else ""
    return State(jobs(Profile.read(name)), Hashes())


def maker(state: State, path: str) -> str:
    """The address of the job that makes a path."""
    found = state.maker(path)
    if found is None:
        made = [out for job in state.jobs.values() for out in job.outputs]
        raise UserError(f"{path}: no job makes it{near(path, made)}")
    return found


# ---- why --------------------------------------------------------------------


def why(path: str) -> str:
    """One sentence: whether a path is up to date, why, and what making it anew would cost."""
    state = state_of(path)
    address = maker(state, path)
    to_run = [name for name in ancestors(state, address) if state.why(name)]
    state.hash_of.save()
    if not to_run:
        return f"{path} is up to date: {address} made it from the parameters, inputs and code that are there now."
    reasons = [(name, found.words) for name in to_run for found in state.own(name)]
    name, first = reasons[0]
    more = f", and {len(reasons) - 1} more {plural('reason', len(reasons) - 1)}" if len(reasons) > 1 else ""
    which = "" if name == address else f" (of {name}, from which it follows)"
    return f"{path} is not up to date: {first}{which}{more}. {_cost(state, to_run)}."


def _cost(state: State, addresses: list[str]) -> str:
    known = [runrecord.seconds(state.jobs[name]) for name in addresses]
    would = f"{len(known)} {plural('job', len(known))} would run"
    spent, missing = duration(sum(value for value in known if value is not None)), known.count(None)
    if not missing:
        return f"{would}, {spent} of work by their last runs"
    if missing == len(known):
        return f"{would}; no run of them is on record here"
    return f"{would}, {spent} by their last runs; of {missing} no run is on record here"


def plural(word: str, number: int) -> str:
    """`job` of one, else `jobs`."""
    return word if number == 1 else f"{word}s"


def duration(seconds: float) -> str:
    """`8 s`, `2 min 5 s`, `3 h 20 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def ancestors(state: State, address: str) -> list[str]:
    """A job and all before it, those that come first first."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        for before in state.before(name):
            if before not in found:
                visit(before)
        found[name] = None

    visit(address)
    return list(found)


# ---- verify -----------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """Something that is not what it says: which file, and what is wrong with it."""

    path: str
    wrong: str


def verify(states: Iterable[State], *, deep: bool) -> Iterator[Finding]:
    """What is wrong with the artifacts of jobs: against their receipts, the present, DVC's lock files and its cache.

    Args:
        deep: read every byte; otherwise a file whose size, time and inode are unchanged is believed.
    """
    objects: dict[str, str] = {}
    for state in states:
        hash_of = (lambda path: md5(Path(path)) if Path(path).is_file() else None) if deep else state.hash_of
        locks: dict[str, dict[str, dict[str, str]]] = {}
        for job in state.jobs.values():
            file = file_of(job)
            recorded = locks.setdefault(file, locked(file)).get(job.address, {})
            objects |= {digest: path for path, digest in recorded.items() if digest}
            yield from _job(job, state, recorded, hash_of)
    yield from _cache(objects, deep)


def _job(job: Job, state: State, recorded: dict[str, str], hash_of: Any) -> Iterator[Finding]:
    there = [path for path in job.outputs if Path(path).exists()]
    receipt = read(job.receipt)
    if receipt is None:
        words = f"nothing says what made it: its receipt, {job.receipt}, is not there or not as it was written"
        yield from (Finding(path, words) for path in there)
        return
    for path in job.outputs:
        found, written = hash_of(path), receipt["outputs"].get(path)
        if found is None:
            yield Finding(path, "is missing, and its receipt is there")
        elif found != written:
            yield Finding(path, f"is not what {job.address} wrote: md5 {found}, its receipt has {written}")
        elif path in recorded and found != recorded[path]:
            yield Finding(path, f"is not what DVC recorded: md5 {found}, dvc.lock has {recorded[path]}")
    found = hash_of(job.receipt)
    if found != recorded.get(job.receipt, found):
        yield Finding(job.receipt, f"is not what DVC recorded: md5 {found}, dvc.lock has {recorded[job.receipt]}")
    for difference in state.own(job.address):
        if difference.kind != "output":
            yield Finding(job.receipt, f"tells of another state: {difference.words}")


def _cache(objects: dict[str, str], deep: bool) -> Iterator[Finding]:
    for digest, path in objects.items():
        stored = cached(digest)
        if stored.is_file() and deep and md5(stored) != digest:
            yield Finding(str(stored), f"is a damaged cache object: DVC would restore it as {path}; delete it")


# ---- trace ------------------------------------------------------------------


def trace(path: str, row: tuple[str, str] | None = None) -> Iterator[str]:
    """Where a path came from, by the receipts: a line a job, indented below what it was made for, then raw files.

    Args:
        path: an output; or a PNG anywhere, which names its receipt's key.
        row: data set and model, to follow only what made that row of a table.
    """
    if Path(path).suffix == ".png" and not path.startswith(("results/", "data/")):
        path = by_key(png_key(Path(path)))
    state = state_of(path)
    yield from _traced(state, path, row, "", set())


def _traced(state: State, path: str, row: tuple[str, str] | None, indent: str, told: set[str]) -> Iterator[str]:
    address = state.maker(path)
    if address is None:
        yield f"{indent}{path}  md5 {state.hash_of(path)}"
        return
    job = state.jobs[address]
    receipt = read(job.receipt)
    if receipt is None:
        yield f"{indent}{path}  has no receipt: {address} did not make it, or it is gone or changed"
        return
    seen = ", told above" if address in told else ""
    yield f"{indent}{path}  md5 {receipt['outputs'].get(path)}, key {receipt['key'][:12]}{seen}"
    if seen:
        return
    told.add(address)
    setting = ", ".join(f"{name} {value}" for name, value in receipt["setting"].items() if value is not None)
    code = f"{len(receipt['code'])} source files, {setting}; environment uv.lock md5 {receipt['lock']}"
    yield f"{indent}  = {receipt['command']}  ({code})"
    yield from (f"{indent}    {name}: {value}" for name, value in receipt["params"].items())
    for source in receipt["inputs"]:
        if row is None or _concerns(state, source, row):
            yield from _traced(state, source, row, indent + "    ", told)


def _concerns(state: State, path: str, row: tuple[str, str]) -> bool:
    """Whether a file is of a row's data set and model, or of no model: other models' files are left out."""
    address = state.maker(path)
    scope = state.jobs[address].scope if address else {}
    return bool(scope.get("dataset", row[0]) == row[0] and scope.get("model", row[1]) == row[1])


def png_key(path: Path) -> str:
    """The receipt's key that a picture carries."""
    content, at = path.read_bytes(), 8
    while at + 8 <= len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        keyword, _, text = content[at + 8 : at + 8 + size].partition(b"\0")
        if kind == b"tEXt" and keyword.decode("latin-1") == KEYWORD:
            return text.decode("latin-1")
        at += 12 + size
    raise UserError(f"{path}: carries no {KEYWORD}; it is no picture of this project's jobs")


def by_key(key: str) -> str:
    """The picture under results/ whose receipt has a key."""
    for found in sorted(Path("results").glob("**/receipts/**/*.json")):
        receipt = read(str(found))
        if receipt and receipt["key"] == key:
            return str(next(path for path in receipt["outputs"] if path.endswith(".png")))
    raise UserError(f"no receipt under results/ has the key {key}: it was made from other parameters, code or inputs")


# ---- accept -----------------------------------------------------------------


def accept(state: State) -> list[str]:
    """Take changes of comments and layout as no change: receipts whose code has the same syntax get its new md5.

    Returns the addresses of the jobs whose receipts were rewritten.
    """
    taken = []
    for address, job in state.jobs.items():
        reasons = state.own(address)
        receipt = read(job.receipt)
        if receipt and reasons and all(difference.kind == "comment" for difference in reasons):
            write(job.receipt, receipt | {"code": present(job, state.hash_of)["code"]})
            taken.append(address)
    return taken
