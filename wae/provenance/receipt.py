"""Receipts: files that say what a job's outputs were made from. The command that made the outputs writes them.

A receipt is also an output, so DVC restores it from its caches with the others. It holds nothing that differs when the
job runs again: no date, host or duration.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wae.config.leaves import leaves
from wae.errors import UserError
from wae.io import read_json, tag_png, write_json
from wae.pipeline.code import syntax
from wae.pipeline.stage import LOCK, Job

PARTS = ("command", "params", "inputs", "lock", "syntax", "setting")  # what decides the outputs
KEYWORD = "wae:key"  # the keyword in a PNG's metadata; its text is the key of the receipt
SETTLED = 2_000_000_000  # nanoseconds: a file that changed later than this may change again with the same size and time


class Hashes:
    """Computes the md5 of files, as DVC does. A file with the same size, time and inode is not read again.

    Args:
        afresh: ignore the md5s that earlier runs stored.
    """

    store = Path(".wae/hashes.json")

    def __init__(self, *, afresh: bool = False) -> None:
        self._known: dict[str, Any] = {}
        self._changed = False
        with suppress(FileNotFoundError, ValueError):
            known = {} if afresh else read_json(self.store)
            self._known = known if isinstance(known, dict) else {}

    def __call__(self, path: str) -> str | None:
        """The md5 of a file in hexadecimal, or of a folder's names and files; None if the path does not exist."""
        if Path(path).is_dir():
            inside = sorted(file.as_posix() for file in Path(path).rglob("*") if file.is_file())
            return hashlib.md5("".join(f"{file} {self(file)}\n" for file in inside).encode()).hexdigest()
        try:
            found = Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        stamp = [found.st_size, found.st_mtime_ns, found.st_ino]
        match self._known.get(path):
            case [*then, str(digest)] if then == stamp:
                return digest
        try:
            digest = md5(Path(path))
        except FileNotFoundError:  # another engine removed it just now, to make it again
            return None
        if time.time_ns() - found.st_mtime_ns > SETTLED:
            self._known[path], self._changed = [*stamp, digest], True
        return digest

    def save(self) -> None:
        """Store the md5s for the next run, if the checkout can be written."""
        if self._changed:
            with suppress(OSError):  # read-only, or the disk is full: the next run reads the files again
                write_json(self.store, self._known)


def md5(path: Path) -> str:
    """The md5 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def present(job: Job, hash_of: Hashes) -> dict[str, Any]:
    """What a job would use now: its command, parameter values, and the md5 of inputs, source files and lock file."""
    return {
        "command": job.command,
        "params": job.slice(),
        "inputs": {path: hash_of(path) for path in job.inputs},
        "code": {path: hash_of(path) for path in job.code},
        "lock": hash_of(LOCK),
    }


def begun(job: Job) -> dict[str, Any]:
    """The part of a receipt that is known before the job runs. A later edit is then seen as a change."""
    receipt = present(job, Hashes())
    setting = {"seed": job.scope.get("seed"), "threads": job.stage.threads(job.profile)}
    receipt |= {"syntax": {path: syntax(path) for path in job.code}, "setting": setting}
    return receipt


def finished(job: Job, receipt: dict[str, Any]) -> None:
    """Write the receipt after the outputs are written, and put its key into the PNGs.

    Raises:
        UserError: an output is gone, because another engine removed it meanwhile to make it itself.
    """
    for path in job.output_paths:
        if not path.is_file():
            raise UserError(
                f"{job.address}: {path} is gone: another process removed it while this one ran; run it again"
            )
    receipt["setting"]["device"] = device(job)
    receipt = {"key": key(receipt), **receipt}
    for path in job.output_paths:
        if path.suffix == ".png":
            tag_png(path, KEYWORD, receipt["key"])
    write(job.receipt, receipt | {"outputs": {path: md5(Path(path)) for path in job.outputs}})


def write(path: str, receipt: Mapping[str, Any]) -> None:
    """Write a receipt with its seal. From the seal, `read` knows whether it was edited later."""
    write_json(Path(path), {**receipt, "seal": seal(receipt)})


def key(receipt: Mapping[str, Any]) -> str:
    """One sha256 of everything that decides the outputs. Equal keys mean equal bytes on one kind of machine."""
    return _digest({name: receipt[name] for name in PARTS})


def seal(receipt: Mapping[str, Any]) -> str:
    """One sha256 of the whole receipt without its seal."""
    return _digest({name: value for name, value in receipt.items() if name != "seal"})


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def device(job: Job) -> str:
    """The kind of device that a job computed on: cpu or cuda."""
    torch = sys.modules.get("torch")
    asked = job.profile.params.get("compute", {}).get("device", "cpu")
    return "cuda" if job.stage.resources.torch and asked != "cpu" and torch and torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Difference:
    """One way in which a receipt differs from the present.

    Args:
        kind: receipt, command, parameter, input, code, comment (code with the same syntax tree), lock or output.
        name: the file, or the parameter's key.
        words: a sentence without its full stop.
    """

    kind: str
    name: str
    words: str


def read(path: str) -> dict[str, Any] | None:
    """A receipt; None if there is none, or if it was edited after it was written."""
    try:
        receipt: dict[str, Any] = read_json(Path(path))
        return receipt if receipt["seal"] == seal(receipt) and receipt["key"] == key(receipt) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def differences(job: Job, hash_of: Hashes) -> Iterator[Difference]:
    """Why a job is not up to date: how its receipt differs from the present; empty if it is up to date."""
    receipt = read(job.receipt)
    if receipt is None:
        gone = not Path(job.receipt).exists()
        words = "it was never made here, or its receipt is gone" if gone else "its receipt is not as it was written"
        yield Difference("receipt", job.receipt, words)
        return
    now = present(job, hash_of)
    if receipt["command"] != now["command"]:
        yield Difference("command", "", f"its command was {receipt['command']!r}")
    yield from _parameters(receipt["params"], now["params"])
    yield from _files("input", receipt["inputs"], now["inputs"])
    for found in _files("code", receipt["code"], now["code"]):
        known = receipt["syntax"].get(found.name)
        same = known is not None and now["code"].get(found.name) is not None and syntax(found.name) == known
        words = f"{found.words}, in comments or layout only: `wae accept` takes it"
        yield Difference("comment", found.name, words) if same else found
    if receipt["lock"] != now["lock"]:
        yield Difference("lock", LOCK, f"{LOCK} changed")
    yield from _files("output", receipt["outputs"], {path: hash_of(path) for path in job.outputs})


def unchanged(job: Job) -> None:
    """Raise UserError if files changed while a job ran. DVC would record them as they are at the end of the command."""
    for found in differences(job, Hashes()):
        raise UserError(f"{job.address}: {found.words}, while it ran; DVC must not record that. Run it again")


def _parameters(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = dict(leaves(old)), dict(leaves(new))
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield Difference("parameter", name, f"parameter {name} is gone; it was {before[name]!r}")
        elif name not in before:
            yield Difference("parameter", name, f"parameter {name} is new: {after[name]!r}")
        elif before[name] != after[name]:
            yield Difference("parameter", name, f"parameter {name} was {before[name]!r} and is {after[name]!r}")


def _files(kind: str, old: Mapping[str, str], new: Mapping[str, str | None]) -> Iterator[Difference]:
    for path in dict.fromkeys([*old, *new]):
        if path not in new:
            yield Difference(kind, path, f"{kind} {path} is no longer used")
        elif new[path] is None:
            yield Difference(kind, path, f"{kind} {path} is missing")
        elif path not in old:
            yield Difference(kind, path, f"{kind} {path} is new")
        elif old[path] != new[path]:
            yield Difference(kind, path, f"{kind} {path} changed")
