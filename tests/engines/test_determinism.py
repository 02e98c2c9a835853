"""The same bytes whatever the place, time zone, locale, hash seed and number of cores."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from support.project import Project, copy

from wae.io import read_arrays, write_arrays

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


def test_an_archive_of_arrays_is_framed_as_every_python_frames_it(tmp_path: Path) -> None:
    """NumPy's own frames are for more than 4 GiB, which releases of Python word differently."""
    arrays = {"samples": np.arange(6, dtype=np.uint8).reshape(2, 3), "codes": np.ones(0, np.float32)}
    write_arrays(tmp_path / "images.npz", arrays)
    with zipfile.ZipFile(tmp_path / "images.npz") as archive:
        assert [(entry.filename, entry.extra, entry.date_time[0]) for entry in archive.infolist()] == [
            ("samples.npy", b"", 1980), ("codes.npy", b"", 1980),
        ]  # fmt: skip
    first = (tmp_path / "images.npz").read_bytes()
    assert first[28:30] == b"\0\0"  # the length of the first local header's extra field
    found = read_arrays(tmp_path / "images.npz")
    assert {name: (a.dtype, a.tolist()) for name, a in found.items()} == {
        name: (a.dtype, a.tolist()) for name, a in arrays.items()
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
