"""The md5 of files that are kept from run to run: what was changed later is read again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wae.provenance.receipt import SETTLED, Hashes, md5

NOW = 1_700_000_000 * 10**9  # nanoseconds
LONG_AGO = NOW - 100 * SETTLED


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("file")


def written(path: Path, text: str, at: int) -> str:
    """The md5 of a file, written in place, that was changed last at a time in nanoseconds."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(at, at))
    return md5(path)


def asked(path: Path) -> str | None:
    """What one command after another says."""
    hashes = Hashes()
    digest = hashes(str(path))
    hashes.save()
    return digest


def test_a_settled_file_is_read_once(file: Path) -> None:
    """So that the tests below see what is believed: an edit in place that hides its time is not seen."""
    first = written(file, "a", LONG_AGO)
    assert asked(file) == first
    assert written(file, "b", LONG_AGO) != first
    assert asked(file) == first
    assert Hashes(afresh=True)(str(file)) == md5(file)


@pytest.mark.parametrize(("age", "believed"), [(0, False), (SETTLED, False), (SETTLED + 1, True)])
def test_a_file_that_has_just_changed_is_not_believed_later(
    file: Path, monkeypatch: pytest.MonkeyPatch, age: int, *, believed: bool
) -> None:
    """Two edits within what a clock or a file system tells apart look the same."""
    written(Path("settled"), "a", LONG_AGO)  # so that there is something to keep
    first = written(file, "a", NOW - age)
    with monkeypatch.context() as clock:
        clock.setattr(time, "time_ns", lambda: NOW)
        hashes = Hashes()
        assert [hashes("settled"), hashes(str(file))] == [md5(Path("settled")), first]
        hashes.save()
    second = written(file, "b", NOW - age)
    assert asked(file) == (first if believed else second)
    assert first != second


def test_a_file_put_in_the_place_of_another_is_read(file: Path) -> None:
    first = written(file, "a", LONG_AGO)
    assert asked(file) == first
    second = written(Path("another"), "b", LONG_AGO)
    assert Path("another").stat().st_ino != file.stat().st_ino
    Path("another").replace(file)
    assert asked(file) == second


def test_a_change_of_size_or_of_time_is_read(file: Path) -> None:
    for text, at in (("a", LONG_AGO), ("bb", LONG_AGO), ("cc", LONG_AGO + 1)):
        assert written(file, text, at) == asked(file)
