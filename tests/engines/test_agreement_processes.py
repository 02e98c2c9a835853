"""What happens while something runs: edits, kills, and a second run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.project import Project
from support.stubs import (
    GAN,
    LOCK,
    agreed,
    repro,
    set_lr,
    snakemake,
    stubbed,
)
from support.under_way import MARK, RUNS, killed, training

from wae.provenance.receipt import md5

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", RUNS)
def test_an_edit_while_a_model_trains(project: Project, engine: str) -> None:
    """What is edited then is not what the model was trained with, and no lock file may say so."""
    set_lr(project, "0.0006")
    with training(project, engine) as process:
        set_lr(project, "0.0009")
        (project.folder / MARK).unlink()
        process.wait()
    assert "0.0009" not in (project.folder / LOCK).read_text(encoding="utf-8")
    assert agreed(project) == GAN
    repro(project)
    assert agreed(project) == set()


KINDS = {
    "code": ("wae/stages/train.py", "NUMBER = 1\n"),
    "input": ("data/digits/train.npy", "x"),
    "environment": ("uv.lock", "\n"),
}


@pytest.mark.parametrize("engine", RUNS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_of_a_file_while_a_model_trains(project: Project, engine: str, kind: str) -> None:
    name, more = KINDS[kind]
    path = project.folder / name
    set_lr(project, "0.0006")
    with training(project, engine) as process:
        with path.open("a", encoding="utf-8") as file:
            file.write(more)
        edited = md5(path)
        (project.folder / MARK).unlink()
        process.wait()
    locks = [project.folder / "data/dvc.lock", project.folder / "params/smoke/dvc.lock"]
    assert not any(edited in lock.read_text(encoding="utf-8") for lock in locks)
    assert {"train-digits@wae-gan-1", "train-digits@wae-mmd-1", "evaluate-digits@wae-gan-1", "table"} <= agreed(project)
    assert (kind == "code") == ("prepare-digits" not in agreed(project))
    repro(project)
    assert agreed(project) == set()
    assert project.run("wae", "verify", "--deep").returncode == 0


EDITED_MEANWHILE = """
import os
import signal
from pathlib import Path
from wae.provenance import lock
from wae.pipeline.dag import jobs
from wae.pipeline.profile import Profile
from wae.provenance.receipt import Hashes
from wae.provenance.state import State

commit, params = lock._dvc, Path("params/smoke/params.yaml")

def edit_and_commit(*arguments):
    params.write_text(params.read_text().replace("lr: 0.0006", "lr: 0.0009"))
    done = commit(*arguments)
    if DIES:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

lock._dvc = edit_and_commit
lock.record(State(jobs(Profile.read("smoke")), Hashes()))
"""


@pytest.mark.parametrize("dies", [False, True])
def test_an_edit_while_dvc_records(project: Project, *, dies: bool) -> None:
    """DVC reads params when it comes to them: what it then says of a finished training is taken back.

    If all is killed before it can be, the next start does it.
    """
    lock, before = project.folder / LOCK, agreed(project)
    recorded = lock.read_bytes()
    set_lr(project, "0.0006")
    project.run("wae", "train", "digits", "wae-gan", "1", "--profile", "smoke")
    code = EDITED_MEANWHILE.replace("DIES", str(dies))
    said = project.run(sys.executable, "-c", code, check=not dies).stderr
    if dies:
        assert b"lr: 0.0009" in lock.read_bytes()
    else:
        assert "edited meanwhile" in said
        assert lock.read_bytes() == recorded
    assert (before, agreed(project)) == (set(), GAN)
    set_lr(project, "0.0006")
    assert agreed(project) == GAN - {"train-digits@wae-gan-1"}


@pytest.mark.parametrize("then", [snakemake, repro])
def test_killed_in_a_training(project: Project, then: Callable[[Project], None]) -> None:
    set_lr(project, "0.0006")
    killed(project)
    assert agreed(project) == GAN
    then(project)
    assert agreed(project) == set()


def test_killed_in_the_first_run(tmp_path: Path) -> None:
    """What was finished before the kill is recorded when Snakemake is next asked."""
    project = stubbed(tmp_path)
    killed(project)
    left = agreed(project)
    assert "prepare-digits" not in left
    assert {"train-digits@wae-mmd-1", "train-digits@wae-gan-1"} <= left


@pytest.mark.parametrize("engines", [("snakemake", "snakemake"), ("snakemake", "dvc")])
def test_two_runs_at_once(project: Project, engines: tuple[str, str]) -> None:
    """One of the two may give up or fail; neither leaves a wrong record."""
    set_lr(project, "0.0006")
    at_once = [
        subprocess.Popen(
            RUNS[engine], cwd=project.folder, env=project.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )
        for engine in engines
    ]  # fmt: skip
    assert 0 in [process.wait() for process in at_once]
    agreed(project)
    snakemake(project)
    assert agreed(project) == set()
