"""After any sequence of runs, edits, checkouts and accidents both engines say the same of what is up to date."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from project import Project
from ruamel.yaml import YAML
from stubs import FILES, PARAMS, TARGET, agreed, commit, repro, snakemake, stubbed

GAN = {
    "train-digits@wae-gan-1", "evaluate-digits@wae-gan-1", "samples-digits@wae-gan", "codes-digits@wae-gan",
    "collect", "compare-digits", "table",
}  # fmt: skip
WEIGHTS = "results/smoke/digits/wae-gan/1/model.safetensors"
LOCK = "params/smoke/dvc.lock"
RECEIPT = "results/smoke/receipts/train/digits/wae-gan/1.json"


def set_lr(project: Project, value: str) -> None:
    """The learning rate of wae-gan's critic, which one training alone depends on."""
    path = project.folder / PARAMS
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    found = [index for index, line in enumerate(lines) if "latent_critic:" in line]
    assert found
    for index in found:
        lines[index] = f"        latent_critic: {{<<: *digits-adam, lr: {value}}}\n"
    path.write_text("".join(lines), encoding="utf-8")


def test_a_run_by_snakemake_is_recorded_for_dvc(project: Project) -> None:
    assert agreed(project) == set()


def test_a_parameter_edited_then_run_by_either_engine(project: Project) -> None:
    for run, value in ((repro, "0.0006"), (snakemake, "0.0007")):
        set_lr(project, value)
        assert agreed(project) == GAN
        run(project)
        assert agreed(project) == set()


def test_a_partial_run_and_an_edit_leave_no_wrong_record(project: Project) -> None:
    """The lock must not say a parameter that the model was not trained with."""
    set_lr(project, "0.0006")
    snakemake(project, WEIGHTS)
    assert agreed(project) == GAN - {"train-digits@wae-gan-1"}
    set_lr(project, "0.0009")
    snakemake(project, "results/smoke/digits/classifier.json")
    assert "0.0009" not in (project.folder / LOCK).read_text(encoding="utf-8")
    assert agreed(project) == GAN
    set_lr(project, "0.0006")
    assert agreed(project) == GAN - {"train-digits@wae-gan-1"}


def test_a_clone_pulls_and_has_nothing_to_do(project: Project, tmp_path: Path) -> None:
    clone = cloned(project, tmp_path)
    assert "table" in agreed(clone)
    clone.run("dvc", "pull", "--quiet", *FILES)
    assert agreed(clone) == set()
    set_lr(clone, "0.0006")
    assert agreed(clone) == GAN


def cloned(project: Project, tmp_path: Path) -> Project:
    """A clone of the last commit, and a remote that holds what is recorded."""
    remote = str(tmp_path / "remote")
    project.run("dvc", "remote", "modify", "--local", "storage", "url", remote)
    project.run("dvc", "push", "--quiet", *FILES)
    commit(project, "recorded")
    project.run("git", "clone", "--quiet", str(project.folder), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.run("dvc", "remote", "modify", "--local", "storage", "url", remote)
    return clone


def test_a_comment_is_accepted_and_code_is_not(project: Project) -> None:
    stage = "wae/stages/evaluate.py"
    project.edit(stage, "\n\nfrom", "\n\n# A comment.\nfrom")
    changed = agreed(project)
    assert {"evaluate-digits@wae-mmd-1", "table"} <= changed
    assert "train-digits@wae-mmd-1" not in changed
    assert "2 jobs are up to date again" in project.run("wae", "accept").stdout
    assert agreed(project) == set()
    project.edit(stage, "# A comment.", "LEVEL = 1")
    assert agreed(project) == changed
    assert "nothing to accept" in project.run("wae", "accept").stdout
    assert agreed(project) == changed


def test_what_dvc_is_told_to_commit_although_it_is_stale_is_taken_out_of_its_lock(project: Project) -> None:
    lock, before = project.folder / LOCK, agreed(project)
    recorded = YAML(typ="safe").load(lock)
    set_lr(project, "0.0006")
    project.run("dvc", "commit", "--force", "--quiet", f"{FILES[0]}:train-digits@wae-gan-1")
    assert "lr: 0.0006" in lock.read_text(encoding="utf-8")
    said = project.run("snakemake", "--dry-run", TARGET).stderr
    assert f"{LOCK} said of train-digits@wae-gan-1 what the receipts recorded there do not: taken out" in said
    del recorded["stages"]["train-digits@wae-gan-1"]
    assert YAML(typ="safe").load(lock) == recorded
    assert (before, agreed(project)) == (set(), GAN)
    set_lr(project, "0.0005")
    assert agreed(project) == set()


def test_what_is_not_in_dvc_s_cache_is_recorded_again(project: Project) -> None:
    shutil.rmtree(project.folder / ".dvc/cache")
    assert project.changed(*FILES)
    assert agreed(project) == set()


# ---- the rest, for `make test-long` -----------------------------------------


@pytest.mark.slow
def test_git_back_and_dvc_checkout(project: Project) -> None:
    set_lr(project, "0.0006")
    snakemake(project)
    commit(project, "another rate")
    project.run("git", "checkout", "--quiet", "HEAD~1")
    assert agreed(project) >= GAN
    project.run("dvc", "checkout", "--quiet", *FILES)
    assert agreed(project) == set()
    project.run("git", "checkout", "--quiet", "-")
    project.run("dvc", "checkout", "--quiet", *FILES)
    assert agreed(project) == set()


@pytest.mark.slow
def test_an_edit_before_any_run(tmp_path: Path) -> None:
    project = stubbed(tmp_path)
    set_lr(project, "0.0006")
    before = agreed(project)
    repro(project)
    assert agreed(project) == set()
    assert before > GAN


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["train", "collect"])
def test_a_failed_run_certifies_nothing_stale(project: Project, stage: str) -> None:
    set_lr(project, "0.0006")
    snakemake(project, check=False, STUB_FAILS=stage)
    failed = agreed(project)
    assert failed == (GAN if stage == "train" else {"collect", "compare-digits", "table"})
    repro(project)
    assert agreed(project) == set()


MARK = "scratch/hangs"
RUNS = {"snakemake": ("snakemake", "--cores", "2", TARGET), "dvc": ("dvc", "repro", FILES[0])}


@contextmanager
def training(project: Project, engine: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run that has come to a training, which goes on when MARK is gone; killed at the end, with all it started."""
    process = subprocess.Popen(
        RUNS[engine], cwd=project.folder, env=project.environment(STUB_HANGS="train"), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    mark = project.folder / MARK
    try:
        while not mark.exists():
            assert process.poll() is None, "it ended without a training"
            time.sleep(0.05)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        mark.unlink(missing_ok=True)


def killed(project: Project) -> None:
    """Snakemake killed in a training."""
    with training(project, "snakemake"):
        pass
    project.run("snakemake", "--unlock", TARGET)


@pytest.mark.slow
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


EDITED_MEANWHILE = """
import os
import signal
from pathlib import Path
from wae import lock
from wae.dag import jobs
from wae.profile import Profile
from wae.receipt import Hashes
from wae.state import State

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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("then", [snakemake, repro])
def test_killed_in_a_training(project: Project, then: Callable[[Project], None]) -> None:
    set_lr(project, "0.0006")
    killed(project)
    assert agreed(project) == GAN
    then(project)
    assert agreed(project) == set()


@pytest.mark.slow
def test_killed_in_the_first_run(tmp_path: Path) -> None:
    """What was finished before the kill is recorded when Snakemake is next asked."""
    project = stubbed(tmp_path)
    killed(project)
    left = agreed(project)
    assert "prepare-digits" not in left
    assert {"train-digits@wae-mmd-1", "train-digits@wae-gan-1"} <= left


@pytest.mark.slow
@pytest.mark.parametrize("path", [WEIGHTS, RECEIPT])
@pytest.mark.parametrize("damage", [Path.unlink, partial(Path.write_text, data="{}", encoding="utf-8")])
def test_an_output_or_a_receipt_deleted_or_edited(project: Project, path: str, damage: Callable[[Path], None]) -> None:
    damage(project.folder / path)
    assert agreed(project) == GAN
    snakemake(project)
    assert agreed(project) == set()


@pytest.mark.slow
def test_a_touched_input_and_an_edited_one(project: Project) -> None:
    path = project.folder / "data/digits/train.npy"
    path.touch()
    assert agreed(project) == set()
    path.write_text("another", encoding="utf-8")
    assert {"prepare-digits", "train-digits@wae-mmd-1", "table"} <= agreed(project)
    snakemake(project)
    assert agreed(project) == set()


@pytest.mark.slow
def test_a_seed_added_a_model_removed_a_model_renamed(project: Project) -> None:
    project.edit(PARAMS, "seeds: [1]", "seeds: [1, 2]")
    project.run("wae", "dvc")
    assert {"train-digits@wae-mmd-2", "collect"} <= agreed(project)
    repro(project)
    assert agreed(project) == set()
    project.edit(PARAMS, "[wae-mmd, wae-gan]", "[wae-mmd]")
    project.run("wae", "dvc")
    assert agreed(project) == {"collect", "compare-digits", "table"}
    snakemake(project)
    assert agreed(project) == set()
    project.edit(PARAMS, "[wae-mmd]", "[wae]")
    project.edit(PARAMS, "    wae-mmd: &digits", "    wae: &digits")
    project.run("wae", "dvc")
    assert {"train-digits@wae-1", "train-digits@wae-2", "collect"} <= agreed(project)
    snakemake(project)
    assert agreed(project) == set()


@pytest.mark.slow
def test_another_environment(project: Project) -> None:
    everything = {job.name for job in project.planned(TARGET, "--forceall")}
    with (project.folder / "uv.lock").open("a", encoding="utf-8") as file:
        file.write("\n# another\n")
    assert agreed(project) == everything
    snakemake(project)
    assert agreed(project) == set()


@pytest.mark.slow
def test_back_and_forth_by_dvc_s_run_cache(project: Project) -> None:
    """A parameter set to another value and back: DVC restores, receipts with the outputs, and runs nothing."""
    for value in ("0.0006", "0.0005"):
        set_lr(project, value)
        repro(project)
        assert agreed(project) == set()
