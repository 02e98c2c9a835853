"""The same bytes whatever the place, time zone, locale, hash seed and number of cores."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from project import Project, copy

TARGET = "results/smoke/table.csv"
ELSEWHERE = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "1"}


def digests(project: Project) -> dict[str, str]:
    """The md5 of every file that DVC versions, receipts among them, and the lock files that say so."""
    files = [path for folder in ("data", "results") for path in (project.folder / folder).rglob("*") if path.is_file()]
    files += project.folder.glob("params/*/dvc.lock")
    return {
        path.relative_to(project.folder).as_posix(): hashlib.md5(path.read_bytes()).hexdigest()
        for path in sorted(files)
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_another_place_and_more_cores_give_the_same_bytes(tmp_path: Path) -> None:
    here, there = copy(tmp_path / "here"), copy(tmp_path / "là bas, ailleurs")
    here.run("snakemake", "--cores", "1", TARGET, TZ="UTC", PYTHONHASHSEED="0")
    there.run("snakemake", "--cores", "4", TARGET, **ELSEWHERE)
    made = digests(here)
    assert {"data/digits/train.npy", TARGET, "results/smoke/receipts/table.json", "params/smoke/dvc.lock"} <= set(made)
    assert digests(there) == made
    assert there.planned(TARGET) == []
