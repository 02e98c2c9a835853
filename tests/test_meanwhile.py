"""What is edited while a job runs is not what it was made from: no lock file says so, and both engines run it again."""

from __future__ import annotations

import pytest
from project import Project
from stubs import agreed, repro
from test_agreement import MARK, RUNS, set_lr, training

from wae.receipt import md5

KINDS = {
    "code": ("wae/stages/train.py", "NUMBER = 1\n"),
    "input": ("data/digits/train.npy", "x"),
    "environment": ("uv.lock", "\n"),
}


@pytest.mark.slow
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
