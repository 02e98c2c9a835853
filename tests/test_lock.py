"""What DVC has recorded, as its lock files say, read once for each content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wae import lock
from wae.dag import jobs
from wae.lock import locked, targets
from wae.profile import Profile
from wae.receipt import Hashes
from wae.state import State

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
    parsed = lock.parsed
    monkeypatch.setattr(lock, "parsed", lambda path: read.append(path) or parsed(path))
    first = locked("params/smoke/dvc.yaml")
    assert locked("params/smoke/dvc.yaml") == first
    assert len(read) == 1
    Path(".wae/locked/smoke.json").write_text("{", encoding="utf-8")
    assert locked("params/smoke/dvc.yaml") == first
    assert len(read) == 2


def test_a_matrix_is_named_as_one_where_all_of_it_is_meant() -> None:
    state = State(jobs(Profile.read("smoke")), Hashes())
    names = ("prepare-digits", "train-digits@wae-mmd-1", "evaluate-digits@wae-mmd-1", "evaluate-digits@wae-gan-1")
    assert targets(state, [state.jobs[name] for name in names]) == [
        "data/dvc.yaml:prepare-digits",
        "params/smoke/dvc.yaml:train-digits@wae-mmd-1",
        "params/smoke/dvc.yaml:evaluate-digits",
    ]
