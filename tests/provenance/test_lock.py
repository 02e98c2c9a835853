"""What DVC has recorded, as its lock files say, read once for each content."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from wae.io import write_json
from wae.pipeline.dag import jobs
from wae.pipeline.profile import Profile
from wae.provenance import lockfile
from wae.provenance.lock import targets
from wae.provenance.lockfile import cached, locked, mend
from wae.provenance.receipt import Hashes, key, md5, seal
from wae.provenance.state import State

ENTRY = """stages:
  train@1:
    outs:
    - path: model
      hash: md5
      md5: {md5}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params/smoke").mkdir(parents=True)
    path = Path("params/smoke/dvc.lock")
    path.write_text(ENTRY.format(md5="a" * 32), encoding="utf-8")
    monkeypatch.setattr(lockfile.time, "sleep", lambda seconds: os.utime(path, (0, 0)))
    return path


def test_no_lock_file_is_nothing_recorded(file: Path) -> None:
    assert locked("data/dvc.yaml") == {}


def test_a_change_that_keeps_size_and_time_is_seen(file: Path) -> None:
    assert locked("params/smoke/dvc.yaml") == {"train@1": {"model": "a" * 32}}
    before = file.stat()
    file.write_text(ENTRY.format(md5="b" * 32), encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert locked("params/smoke/dvc.yaml") == {"train@1": {"model": "b" * 32}}


def test_it_is_parsed_once_and_again_where_what_was_kept_is_damaged(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    parsed = lockfile.parsed
    monkeypatch.setattr(lockfile, "parsed", lambda path: read.append(path) or parsed(path))
    first = locked("params/smoke/dvc.yaml")
    assert locked("params/smoke/dvc.yaml") == first
    assert len(read) == 1
    kept = Path(".wae/locked/smoke.json")
    good = kept.read_text(encoding="utf-8")
    damaged = [
        "{",
        "[]",
        "3",
        "{}",
        good.replace('{\n      "model"', '[\n "model"').replace("}", "]", 1),
        good.replace(f'"{"a" * 32}"', "3"),
    ]
    for number, content in enumerate(damaged, start=2):
        kept.write_text(content, encoding="utf-8")
        assert locked("params/smoke/dvc.yaml") == first
        assert len(read) == number
        assert kept.read_text(encoding="utf-8") == good


@pytest.mark.parametrize("text", ["stages:\n  train@1:\n    outs:\n    - pa\n", "stages: [\n", "- a\n", "\xff"])
def test_a_lock_file_that_is_not_whole_is_removed(file: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(text.encode("latin-1"))
    assert locked("params/smoke/dvc.yaml") == {}
    mend("params/smoke/dvc.yaml")
    assert not file.exists()
    assert "params/smoke/dvc.lock was not written to its end, and is removed" in capsys.readouterr().err
    mend("params/smoke/dvc.yaml")
    assert not capsys.readouterr().err


def test_a_lock_file_that_is_being_written_is_left_until_it_is_whole(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = file.read_bytes()
    file.write_bytes(b"stages: [")
    monkeypatch.setattr(lockfile.time, "sleep", lambda seconds: file.write_bytes(whole))
    mend("params/smoke/dvc.yaml")
    assert file.read_bytes() == whole
    assert not capsys.readouterr().err


def receipt(**changes: Any) -> dict[str, Any]:
    parts = {
        "command": "wae train", "params": {"compute": {"threads": 1, "rate": 1}}, "inputs": {"in": "1"},
        "lock": "2", "syntax": {}, "setting": {}, "code": {"a.py": "3"}, "outputs": {"out": "4"},
    } | changes  # fmt: skip
    whole = {"key": key(parts), **parts}
    return {**whole, "seal": seal(whole)}


def record(file: Path, content: dict[str, Any], *, folder: bool = False) -> tuple[Path, str]:
    """A lock file that records a receipt and the output "out"; where the receipt is, and its md5."""
    written = Path("results/smoke/receipts/train/1.json")
    write_json(written, content)
    deps = "".join(f"    - {{path: {path}, md5: '{n}'}}\n" for path, n in (("in", 1), ("uv.lock", 2), ("a.py", 3)))
    deps += "    - {path: folder, md5: '8.dir'}\n" * folder  # DVC's digest of a folder is another than a receipt's
    params = "    params:\n      p.yaml:\n        compute: {threads: 1, rate: 1.0}\n"
    outs = f"    outs:\n    - {{path: {written}, md5: {md5(written)}}}\n    - {{path: out, md5: '4'}}\n"
    entry = f"  train@2:\n    cmd: wae train\n    deps:\n{deps}{params}{outs}"
    file.write_text(ENTRY.format(md5="a" * 32) + entry, encoding="utf-8")
    return written, md5(written)


def stored(written: Path, digest: str) -> None:
    """Put a receipt into DVC's cache, and out of its place."""
    cached(digest).parent.mkdir(parents=True)
    written.rename(cached(digest))


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({}, True),
        ({"command": "wae train 2"}, False),
        ({"params": {"compute": {"threads": 2, "rate": 1}}}, False),
        ({"params": {}}, False),
        ({"inputs": {"in": "9"}}, False),
        ({"inputs": {}}, False),
        ({"inputs": {"in": "1", "more": "1"}}, False),
        ({"lock": "9"}, False),
        ({"code": {"a.py": "9"}}, False),
        ({"outputs": {"out": "9"}}, False),
        ({"outputs": {"out": "4", "more": "4"}}, False),
        ({"inputs": {"in": "1", "folder": "7"}}, True),
    ],
)
def test_what_a_receipt_contradicts_is_taken_out(
    file: Path, changes: dict[str, Any], *, gone: bool, stays: bool
) -> None:
    written, digest = record(file, receipt(**changes), folder=stays and bool(changes))
    if gone:
        stored(written, digest)
    mend("params/smoke/dvc.yaml")
    assert locked("params/smoke/dvc.yaml").keys() == ({"train@1", "train@2"} if stays else {"train@1"})


def test_a_receipt_that_comes_later_is_asked_then(file: Path) -> None:
    written, digest = record(file, receipt(command="another"))
    away = written.rename("elsewhere.json")
    mend("params/smoke/dvc.yaml")
    assert locked("params/smoke/dvc.yaml").keys() == {"train@1", "train@2"}
    stored(away, digest)
    mend("params/smoke/dvc.yaml")
    assert locked("params/smoke/dvc.yaml").keys() == {"train@1"}


def test_a_lock_file_in_conflict_is_left_to_its_owner(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "stages:\n<<<<<<< ours\n  a: 1\n=======\n  a: 2\n>>>>>>> theirs\n"
    file.write_text(text, encoding="utf-8")
    mend("params/smoke/dvc.yaml")
    assert file.read_text(encoding="utf-8") == text
    assert "has git's conflict markers: resolve them" in capsys.readouterr().err


def test_a_lock_file_of_tomorrow_is_not_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("stages: [", encoding="utf-8")
    os.utime(file, ns=(0, time.time_ns() + 10**13))
    monkeypatch.setattr(lockfile.time, "sleep", lambda seconds: pytest.fail("it waits"))
    mend("params/smoke/dvc.yaml")
    assert not file.exists()


def test_a_matrix_is_named_as_one_where_all_of_it_is_meant() -> None:
    state = State(jobs(Profile.read("smoke")), Hashes())
    names = ("prepare-digits", "train-digits@wae-mmd-1", "evaluate-digits@wae-mmd-1", "evaluate-digits@wae-gan-1")
    assert targets(state, [state.jobs[name] for name in names]) == [
        "data/dvc.yaml:prepare-digits",
        "params/smoke/dvc.yaml:train-digits@wae-mmd-1",
        "params/smoke/dvc.yaml:evaluate-digits",
    ]
