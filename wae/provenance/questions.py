"""Questions about artifacts: why one is up to date or not, and where it came from."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wae.config.fit import RESERVED
from wae.errors import UserError, near, one_of
from wae.pipeline.dag import data_jobs, jobs
from wae.pipeline.profile import Profile
from wae.pipeline.render import all_data
from wae.provenance import runrecord, unfinished
from wae.provenance.receipt import KEYWORD, Difference, Hashes, md5, read
from wae.provenance.state import State


def from_root(path: str) -> str:
    """A path as jobs name it: from the project's root, without `.` and `..`. One outside the project stays as it is."""
    here, place = Path.cwd(), Path(os.path.normpath(path))
    for found in (here / place, place.parent.resolve() / place.name):
        if found.is_relative_to(here):
            return str(found.relative_to(here))
    return str(place)


def state_of(path: str) -> State:
    """The state of the profile that has this path in its results; under data/, of the jobs that all profiles share."""
    parts = Path(path).parts
    if parts[:1] == ("data",):
        return State(data_jobs(all_data()), Hashes())
    if parts[:1] != ("results",):
        raise UserError(f"{path}: is no output of a job; those lie in data/ and results/")
    name = parts[1] if len(parts) > 1 and parts[1] in Profile.names() else ""
    return State(jobs(Profile.read(name)), Hashes())


def states(profiles: Iterable[Profile], hash_of: Hashes) -> list[State]:
    """The states of these profiles; without any, of the shared jobs and of profiles with receipts or a dvc.lock."""
    if chosen := list(profiles):
        return [State(jobs(of), hash_of) for of in chosen]
    every = map(Profile.read, Profile.names())
    used = [of for of in every if Path(of.results, "receipts").is_dir() or Path(of.dvc).with_name("dvc.lock").is_file()]
    return [State(data_jobs(all_data()), hash_of), *(State(jobs(of), hash_of) for of in used)]


def maker(state: State, path: str) -> str:
    """The address of the job that makes a path."""
    found = state.maker(path)
    if found is None:
        made = [out for job in state.jobs.values() for out in job.outputs]
        raise UserError(f"{path}: no job makes it{near(path, made)}")
    return found


# ---- why --------------------------------------------------------------------


def why(path: str) -> str:
    """A text: whether a path is up to date, why, and what it would cost to make it again."""
    state = state_of(path)
    address = maker(state, path)
    to_run = [name for name in ancestors(state, address) if state.why(name)]
    state.hash_of.save()
    if not to_run:
        return f"{path} is up to date: {address} made it from the parameters, inputs and code that are there now."
    reasons = [(name, found) for name in to_run for found in state.own(name)]
    name, first = reasons[0][0], _told(state, *reasons[0])
    more = f", and {len(reasons) - 1} more {plural('reason', len(reasons) - 1)}" if len(reasons) > 1 else ""
    which = "" if name == address else f" (of {name}, from which it follows)"
    return f"{path} is not up to date: {first}{which}{more}. {_cost(state, to_run)}."


def _told(state: State, name: str, found: Difference) -> str:
    """A reason in words, with what is known of the job's last run and of what brings its outputs back."""
    job = state.jobs[name]
    if said := unfinished.last_run(job):
        never = found.kind == "receipt" and not Path(job.receipt).exists()
        return said if never else f"{found.words}; {said}"
    missing = found.kind in ("receipt", "output") and not Path(found.name).exists()
    if missing and (command := unfinished.restorable(job, state.hash_of)):
        return f"{found.words}, but DVC has what it made: `{command}` brings it back"
    length = "models.{dataset}.{model}.epochs".format_map({"dataset": "", "model": "", **job.scope})
    if found.kind == "parameter" and found.name == length:
        return f"{found.words}: {unfinished.anew(job)}"
    return found.words


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
    """The word with a plural `s`, unless the number is 1."""
    return word if number == 1 else f"{word}s"


def duration(seconds: float) -> str:
    """A time as text: `8 s`, `2 min 5 s`, `3 h 20 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def ancestors(state: State, address: str) -> list[str]:
    """A job and all jobs before it, in the order in which they run."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        for before in state.before(name):
            if before not in found:
                visit(before)
        found[name] = None

    visit(address)
    return list(found)


# ---- trace ------------------------------------------------------------------


def trace(path: str, row: tuple[str, str] | None = None) -> Iterator[str]:
    """The history of a path, from receipts: each file, the command and parameters of its job, and below it the inputs.

    An input is followed only if its receipt describes the version that was read.

    Args:
        path: an output, or a PNG anywhere that is a copy of one.
        row: data set and model of a table's row, to follow only the files that made it.
    """
    if Path(path).suffix == ".png" and not path.startswith(("results/", "data/")):
        path = original(Path(path))
    state = state_of(path)
    receipt = read(state.jobs[maker(state, path)].receipt) or {"outputs": {}}
    if row:
        _there(state, *row)
    yield from _traced(state, path, receipt["outputs"].get(path), row, "", set())
    state.hash_of.save()


def _there(state: State, dataset: str, model: str) -> None:
    """Raise UserError if the table of these jobs does not have the row."""
    grid = next(reversed(state.jobs.values())).profile.params["grid"]
    if dataset not in grid:
        raise UserError(f"--row {dataset} {model}: the data set {one_of(dataset, grid)}")
    if model not in (*grid[dataset], *RESERVED):
        raise UserError(f"--row {dataset} {model}: the model {one_of(model, [*grid[dataset], *RESERVED])}")


def _traced(
    state: State, path: str, wanted: str | None, row: tuple[str, str] | None, indent: str, told: set[str]
) -> Iterator[str]:
    """The lines of `trace` for one path. `wanted` is the md5 of the version to follow."""
    address = state.maker(path)
    if address is None:
        yield f"{indent}{path}  md5 {wanted}{_now(state, path, wanted)}"
        return
    receipt = read(state.jobs[address].receipt)
    if receipt is None:
        yield f"{indent}{path}  has no receipt: {address} did not make it, or it is gone or changed"
        return
    written = receipt["outputs"].get(path)
    if written != wanted:
        told_of = f"the one that its receipt here tells of has md5 {written}{_now(state, path, written)}"
        yield f"{indent}{path}  made from another version of it, md5 {wanted}: {told_of}"
        return
    seen = ", told above" if address in told else ""
    yield f"{indent}{path}  md5 {written}, key {receipt['key'][:12]}{seen}{_now(state, path, written)}"
    if seen:
        return
    told.add(address)
    yield from (f"{indent}  {line}" for line in _made(receipt))
    for source, version in receipt["inputs"].items():
        if row is None or _concerns(state, source, row):
            yield from _traced(state, source, version, row, indent + "    ", told)


def _now(state: State, path: str, version: str | None) -> str:
    """A note if the file here is gone or is not this version; empty if it is."""
    now = state.hash_of(path)
    return "" if now == version else f"; the file here is another, md5 {now}" if now else "; the file is gone"


def _made(receipt: Mapping[str, Any]) -> Iterator[str]:
    """Lines that say how a job ran, from its receipt: command, code, setting, environment and parameters."""
    setting = ", ".join(f"{name} {value}" for name, value in receipt["setting"].items() if value is not None)
    code = f"{len(receipt['code'])} source files, {setting}; environment uv.lock md5 {receipt['lock']}"
    yield f"= {receipt['command']}  ({code})"
    yield from (f"  {name}: {value}" for name, value in receipt["params"].items())


def _concerns(state: State, path: str, row: tuple[str, str]) -> bool:
    """Whether a file belongs to a row's data set and model. Files without a model do; other models' files do not."""
    address = state.maker(path)
    scope = state.jobs[address].scope if address else {}
    return bool(scope.get("dataset", row[0]) == row[0] and scope.get("model", row[1]) == row[1])


def png_key(path: Path) -> str:
    """The key of a receipt that a PNG has in its metadata."""
    if not path.is_file():
        raise UserError(f"{path}: is no file")
    content, at = path.read_bytes(), 8
    while at + 8 <= len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        keyword, _, text = content[at + 8 : at + 8 + size].partition(b"\0")
        if kind == b"tEXt" and keyword.decode("latin-1") == KEYWORD:
            return text.decode("latin-1")
        at += 12 + size
    raise UserError(f"{path}: carries no {KEYWORD}; it is no picture of this project's jobs")


def original(path: Path) -> str:
    """The path under results/ of the original of a copied picture: its receipt has the same key and md5."""
    key, digest = png_key(path), md5(path)
    for found in sorted(Path("results").glob("**/receipts/**/*.json")):
        receipt = read(str(found))
        if receipt and receipt["key"] == key:
            for output, written in receipt["outputs"].items():
                if written == digest:
                    return str(output)
            but = "its bytes were changed: they are none of the pictures that this job wrote"
            raise UserError(f"{path}: carries the key of `{receipt['command']}`, but {but}")
    raise UserError(f"no receipt under results/ has the key {key}: it was made from other parameters, code or inputs")
