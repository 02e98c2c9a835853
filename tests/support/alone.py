"""One job alone in a folder, with its parameters, code and input: what a command does around its work."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.project import ROOT
from wae.pipeline.dag import jobs
from wae.pipeline.profile import Profile
from wae.pipeline.stage import Job
from wae.provenance import receipt
from wae.provenance.receipt import begun, finished

PARAMS, INPUT, CODE = Path("params/smoke/params.yaml"), Path("data/digits/train.npy"), Path("wae/training/train.py")


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def grown(path: Path, more: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(more)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose one job has not run."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "wae", "wae", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("uv.lock", "data/params.yaml", str(PARAMS)):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, name)
    INPUT.parent.mkdir(parents=True)
    INPUT.write_text("images", encoding="utf-8")
    receipt.syntax.cache_clear()
    return tmp_path


def training() -> Job:
    return next(job for job in jobs(Profile.read("smoke")) if job.address == "train-digits@wae-gan-1")


def run(job: Job, meanwhile: Callable[[], None] = lambda: None, **more: dict[str, str]) -> None:
    """What a command does around its work, which writes text here; `more` files by part, read by what the job was."""
    begin = begun(job)
    for part, files in more.items():
        begin[part] |= files
    for path in job.output_paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name, encoding="utf-8")
    meanwhile()
    finished(job, begin)
    receipt.syntax.cache_clear()  # each command is a process of its own
