"""After a run that did not finish, `wae why` says how it ended and what goes on from where; no run's state is lost."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from support.alone import folder as folder
from support.alone import training
from support.project import Project, copy
from support.stubs import PARAMS, TARGET, WEIGHTS, snakemake

from wae.config.leaves import changes
from wae.errors import UserError
from wae.provenance import receipt, runrecord, unfinished

RECEIPT = "results/smoke/receipts/train/digits/wae-gan/1.json"
TRAIN = ("wae", "train", "digits", "wae-mmd", "1", "--profile", "smoke")
OF_TRAIN = "results/smoke/digits/wae-mmd/1/model.safetensors"


# ---- the last run, as its record tells ----------------------------------------


def ended(job: Any, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt, "begun", lambda job: {})
    with pytest.raises(type(error)), runrecord.recorded(job):
        raise error


ENDS: dict[str, tuple[BaseException, str]] = {
    "Ctrl-C": (KeyboardInterrupt(), "its last run was stopped by Ctrl-C"),
    "SIGTERM": (SystemExit(143), "its last run was stopped by SIGTERM"),
    "exit": (SystemExit(1), "its last run failed with exit code 1"),
    "sentence": (UserError("epoch 7: loss is nan"), "its last run failed: epoch 7: loss is nan"),
    "traceback": (OSError("no space\nleft"), "its last run failed: OSError: no space"),
}


@pytest.mark.parametrize("end", ENDS)
def test_how_a_run_ended(end: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, (error, words) = training(), ENDS[end]
    assert unfinished.last_run(job) == ""
    ended(job, error, monkeypatch)
    assert unfinished.last_run(job) == words
    log = Path("logs/train/results/smoke/digits/wae-gan/1.log")
    log.write_text("", encoding="utf-8")
    assert unfinished.last_run(job) == f"{words}; its log is {log}"


def test_a_run_that_was_killed_leaves_a_record(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = training()
    monkeypatch.setattr(receipt, "begun", lambda job: {})
    monkeypatch.setattr(receipt, "finished", lambda job, begun: None)
    with runrecord.recorded(job):
        assert unfinished.last_run(job) == "its last run was killed"
        with runrecord.alone(job):
            assert unfinished.last_run(job) == f"`{job.command}` is making it now"
    assert unfinished.last_run(job) == ""


# ---- checkpoints of other states ----------------------------------------------


def written(job: Any, name: str = "a", **changed: Any) -> Path:
    """A checkpoint of a job, after 3 of its 5 epochs, whose description has some values changed."""
    path = job.scratch / f"{name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 1_500_000)
    basis = unfinished._basis(job)
    for dotted, value in changed.pop("basis", {}).items():
        node, *keys = basis, *dotted.split("|")
        for key in keys[:-1]:
            node[key] = dict(node[key])
            node = node[key]
        node[keys[-1]] = value
    about = {"epoch": 3, "epochs": 5, "round": 0, "rounds": 28, "ended": False, **changed, "basis": basis}
    path.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")
    return path


def use(job: Any) -> str:
    """What the list says of its first checkpoint."""
    return next(unfinished.listed([job])).partition(" MB: ")[2]


def test_a_checkpoint_of_the_present_is_gone_on_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = training()
    path = written(job)
    assert list(unfinished.listed([job])) == [f"{path}: after 3 of 5 epochs, 1.5 MB: `{job.command}` goes on from it"]
    ended(job, KeyboardInterrupt(), monkeypatch)
    words = f"`{job.command}` goes on from its checkpoint, after 3 of 5 epochs ({path})"
    assert unfinished.last_run(job) == f"its last run was stopped by Ctrl-C; {words}"
    ended(job, UserError("epoch 4: loss is nan"), monkeypatch)
    assert "goes on" not in unfinished.last_run(job), "it would fail again"


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "weight": ({"basis": {"model|weight": 11}}, "old: model.weight was 11 and is 10"),
    "shape": ({"basis": {"dataset|shape": [1, 9, 9]}}, "old: dataset.shape was [1, 9, 9] and is [1, 28, 28]"),
    "threads": ({"basis": {"threads": 2}}, "old: threads was 2 and is 1"),
    "device": ({"basis": {"device": "cuda"}}, "old: device was 'cuda' and is 'cpu'"),
    "code": ({"basis": {"code|wae/training/train.py": "0" * 64}}, "old: code.wae"),
    "lock": ({"basis": {"uv.lock": "0" * 32}}, "old: uv.lock was"),
    "length": ({"epochs": 9, "basis": {"model|epochs": 9}},
        "has another length; it goes on from it if its learning rates so far are the same"),
    "beyond": ({"epochs": 9, "epoch": 6, "basis": {"model|epochs": 9}}, "old: model.epochs was 9 and is 5"),
}  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_a_checkpoint_of_another_state_is_told_with_the_reason(other: str, folder: Path) -> None:
    changed, words = OTHERS[other]
    job = training()
    written(job, **changed)
    assert words in use(job)


def test_only_old_checkpoints_are_cleared_unless_all_are_meant(folder: Path) -> None:
    job = training()
    kept, old = written(job, "kept"), written(job, "old", basis={"model|weight": 11})
    unknown = job.scratch / "unknown.pt"
    unknown.write_bytes(b"x" * 500_000)
    gone = Path("scratch/train/results/smoke/digits/renamed/1/b.pt")
    gone.parent.mkdir(parents=True)
    gone.write_bytes(b"")
    assert list(unfinished.listed([job]))[-1] == "3 of 4 are old, 2.0 MB: `wae checkpoints --clear` deletes them"
    said = list(unfinished.cleared([job], every=False))
    assert said[-1] == "2.0 MB freed"
    assert [path.exists() for path in (kept, old, unknown, gone)] == [True, False, False, False]
    assert not old.with_suffix(".json").exists()
    with runrecord.alone(job):
        assert "stays: train-digits@wae-gan-1 is being made" in next(unfinished.cleared([job], every=True))
        assert kept.exists()
    assert list(unfinished.cleared([job], every=True))[-1] == "1.5 MB freed"
    assert list(unfinished.listed([job])) == ["there is no checkpoint in scratch/"]


def test_how_two_mappings_differ_in_words() -> None:
    assert changes({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}, "d": "x" * 50}) == [
        "a.c was 2 and is 3",
        "d changed",
    ]
    assert changes({"a": None}, {}) == ["a was None and is absent"]


# ---- another number of epochs ---------------------------------------------------


def test_why_says_that_fractions_of_the_run_train_anew(project: Project) -> None:
    project.edit(PARAMS, "epochs: 5", "epochs: 6")
    told = project.run("wae", "why", "results/smoke/digits/wae-mmd/1/model.safetensors").stdout
    assert "epochs was 5 and is 6: it trains anew, since the schedule steps is in fractions" in told


# ---- what DVC can bring back -----------------------------------------------------


def test_the_command_that_why_names_brings_outputs_back(project: Project) -> None:
    before = (project.folder / WEIGHTS).read_bytes()
    for path in (WEIGHTS, RECEIPT):
        (project.folder / path).unlink()
    told = project.run("wae", "why", WEIGHTS).stdout
    command = "dvc checkout params/smoke/dvc.yaml:train-digits@wae-gan-1"
    assert f"but DVC has what it made: `{command}` brings it back" in told
    project.run(*command.split())
    assert (project.folder / WEIGHTS).read_bytes() == before
    assert "is up to date" in project.run("wae", "why", WEIGHTS).stdout


def test_what_dvc_has_of_other_parameters_is_not_named(project: Project) -> None:
    for path in (WEIGHTS, RECEIPT):
        (project.folder / path).unlink()
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    told = project.run("wae", "why", WEIGHTS).stdout
    assert "it was never made here, or its receipt is gone. 1 job would run" in told
    project.edit(PARAMS, "lr: 0.0006", "lr: 0.0005")
    shutil.rmtree(project.folder / ".dvc/cache")
    assert (
        "it was never made here, or its receipt is gone. 1 job would run" in project.run("wae", "why", WEIGHTS).stdout
    )


def test_why_after_a_job_that_failed_under_snakemake_names_its_log(project: Project) -> None:
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    snakemake(project, check=False, STUB_FAILS="train")
    told = project.run("wae", "why", WEIGHTS).stdout
    assert "its last run failed with exit code 1" in told
    assert "its log is logs/train/results/smoke/digits/wae-gan/1.log" in told
    snakemake(project)
    assert "is up to date" in project.run("wae", "why", WEIGHTS).stdout


# ---- a comment, and a job before ---------------------------------------------------


def test_accept_counts_what_would_run_apart(project: Project) -> None:
    with (project.folder / "wae/stages/collect.py").open("a", encoding="utf-8") as file:
        file.write("# A comment.\n")
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    words = "0 jobs are up to date again; 1 job took it and would run for other reasons"
    assert project.run("wae", "accept").stdout == f"{words}\n"
    assert "collect" in {job.name for job in project.planned(TARGET)}
    project.edit(PARAMS, "lr: 0.0006", "lr: 0.0005")
    assert project.run("wae", "accept").stdout == "nothing to accept\n"
    assert (
        "Nothing to be done"
        in project.run("snakemake", "-n", TARGET).stdout + project.run("snakemake", "-n", TARGET).stderr
    )


# ---- a training, stopped ------------------------------------------------------------


def stopped(project: Project, words: str, number: int = signal.SIGINT) -> str:
    """What a training says that gets a signal when it has said `words`."""
    process = subprocess.Popen(
        TRAIN, cwd=project.folder, env=project.environment(PYTHONUNBUFFERED="1", OMP_NUM_THREADS="1"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    deadline = time.monotonic() + 240
    while words not in said and time.monotonic() < deadline:
        line = process.stdout.readline()
        assert line, said
        said += line
    process.send_signal(number)
    said += process.communicate(timeout=60)[0]
    assert process.returncode
    return said


def test_a_try_between_does_not_cost_the_epochs_of_a_stopped_run(tmp_path: Path) -> None:
    """A run stopped by Ctrl-C, a comment in the code, a try of one epoch, then the run again."""
    project = copy(tmp_path)
    project.run("wae", "prepare", "digits")
    project.edit(PARAMS, "epochs: 5", "epochs: 4000")
    said = stopped(project, "epoch 3/4000")
    told = re.search(
        r"stopped (in epoch \d+ of 4000|after \d+ of 4000 epochs); the same command goes on from (\S+)", said
    )
    assert told, said
    why = project.run("wae", "why", OF_TRAIN).stdout
    assert "its last run was stopped by Ctrl-C; `wae train digits wae-mmd 1 --profile smoke` goes on from" in why
    assert f"{told[1]} ({told[2]})" in why
    assert f"{told[2]}: {told[1]}" in project.run("wae", "checkpoints").stdout

    with (project.folder / "wae/training/train.py").open("a", encoding="utf-8") as file:
        file.write("# A comment.\n")
    project.edit(PARAMS, "epochs: 4000", "epochs: 1")
    tried = project.run(*TRAIN).stdout
    assert f"not going on from {told[2]}, {told[1]}: " in tried
    assert "epoch 1/1 " in tried
    project.edit(PARAMS, "epochs: 1", "epochs: 4000")
    again = stopped(project, "epoch 5/4000", signal.SIGTERM)
    assert f"going on from {told[2]}, {told[1]}" in again
    assert "epoch 2/4000" not in again
    assert "its last run was stopped by SIGTERM" in project.run("wae", "why", OF_TRAIN).stdout
