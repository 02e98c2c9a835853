"""The record of a run, also where git is not there to say which commit it was of."""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from support.project import ROOT, Project
from support.stubs import PARAMS, TARGET, WEIGHTS, agreed, snakemake

from wae.pipeline.dag import jobs
from wae.pipeline.profile import Profile
from wae.provenance import receipt, runrecord

TRAINING = ("wae", "train", "digits", "wae-gan", "1", "--profile", "smoke")
UNKNOWN = {"commit": None, "dirty": None}


def of_git(project: Project) -> dict[str, Any]:
    """What the record of the training says of the commit."""
    record = json.loads((project.folder / "logs/train/results/smoke/digits/wae-gan/1.run.json").read_text())
    assert record["finished"]
    return {name: record[name] for name in UNKNOWN}


def test_the_commit_and_whether_the_code_differs_from_it(project: Project) -> None:
    head = project.run("git", "rev-parse", "HEAD").stdout.strip()
    project.run(*TRAINING)
    assert of_git(project) == {"commit": head, "dirty": False}
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    project.run(*TRAINING)
    assert of_git(project) == {"commit": head, "dirty": True}


def test_on_a_node_without_git_a_job_runs(project: Project) -> None:
    environment = str(Path(sys.executable).parent)
    assert shutil.which("git", path=environment) is None
    project.run(*TRAINING, PATH=environment)
    assert of_git(project) == UNKNOWN


def test_outside_a_repository_jobs_run_and_dvc_can_be_told(project: Project) -> None:
    shutil.rmtree(project.folder / ".git")
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    snakemake(project)
    assert of_git(project) == UNKNOWN
    plan = project.run("snakemake", "-n", TARGET)
    assert "Nothing to be done" in plan.stdout + plan.stderr
    assert "dvc could not record 7 finished jobs" in plan.stderr
    assert "is not a git repository" in plan.stderr
    project.run("dvc", "config", "--local", "core.no_scm", "true")
    assert agreed(project) == set()


def test_a_cache_that_cannot_be_written_is_told(project: Project) -> None:
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    cache = project.folder / ".dvc/cache/files"
    shutil.rmtree(cache)
    cache.write_text("no folder", encoding="utf-8")  # so that nothing can be put there, not by root either
    done = project.run("snakemake", "--cores", "2", WEIGHTS)
    told = [line for line in done.stderr.splitlines() if line.startswith("dvc could not record")]
    assert told
    assert all(" ([Errno 20] Not a directory: " in line for line in told)
    assert "Having any troubles" not in done.stderr


def test_one_process_makes_a_job_and_another_is_told(project: Project) -> None:
    place = project.folder / ".wae/making/results/smoke/train-digits@wae-gan-1.lock"
    weights = project.folder / "results/smoke/digits/wae-gan/1/model.safetensors"
    before = weights.stat().st_mtime_ns
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        told = project.run(*TRAINING, check=False)
    assert told.returncode == 2
    assert "train-digits@wae-gan-1: another process is making it now" in told.stderr
    assert weights.stat().st_mtime_ns == before
    project.run(*TRAINING)
    assert weights.stat().st_mtime_ns > before


def test_only_a_finished_run_says_what_a_job_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    job = next(job for job in jobs(Profile.read("smoke")) if job.address == "train-digits@wae-gan-1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(receipt, "begun", lambda job: {})
    monkeypatch.setattr(receipt, "finished", lambda job, begun: None)
    assert runrecord.seconds(job) is None
    runrecord.path(job).parent.mkdir(parents=True)
    for broken in ('{"seconds": 1, "fin', "[]", "{}", '{"seconds": [], "finished": true}'):
        runrecord.path(job).write_text(broken, encoding="utf-8")
        assert runrecord.seconds(job) is None
    with runrecord.recorded(job):
        pass
    written = json.loads(runrecord.path(job).read_text(encoding="utf-8"))
    assert runrecord.seconds(job) == written["seconds"]
    assert written["finished"]
    with pytest.raises(KeyboardInterrupt), runrecord.recorded(job):
        raise KeyboardInterrupt
    assert not json.loads(runrecord.path(job).read_text(encoding="utf-8"))["finished"]
    assert runrecord.seconds(job) is None
