"""The rest of what is done to a project: failed runs, files deleted and edited, seeds and models, history."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.project import Project
from support.stubs import (
    FILES,
    GAN,
    PARAMS,
    RECEIPT,
    TARGET,
    WEIGHTS,
    agreed,
    commit,
    repro,
    set_lr,
    snakemake,
    stubbed,
)

pytestmark = pytest.mark.slow


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


def test_an_edit_before_any_run(tmp_path: Path) -> None:
    project = stubbed(tmp_path)
    set_lr(project, "0.0006")
    before = agreed(project)
    repro(project)
    assert agreed(project) == set()
    assert before > GAN


@pytest.mark.parametrize("stage", ["train", "collect"])
def test_a_failed_run_certifies_nothing_stale(project: Project, stage: str) -> None:
    set_lr(project, "0.0006")
    snakemake(project, check=False, STUB_FAILS=stage)
    failed = agreed(project)
    assert failed == (GAN if stage == "train" else {"collect", "compare-digits", "table"})
    repro(project)
    assert agreed(project) == set()


@pytest.mark.parametrize("path", [WEIGHTS, RECEIPT])
@pytest.mark.parametrize("damage", [Path.unlink, partial(Path.write_text, data="{}", encoding="utf-8")])
def test_an_output_or_a_receipt_deleted_or_edited(project: Project, path: str, damage: Callable[[Path], None]) -> None:
    damage(project.folder / path)
    assert agreed(project) == GAN
    snakemake(project)
    assert agreed(project) == set()


def test_a_touched_input_and_an_edited_one(project: Project) -> None:
    path = project.folder / "data/digits/train.npy"
    path.touch()
    assert agreed(project) == set()
    path.write_text("another", encoding="utf-8")
    assert {"prepare-digits", "train-digits@wae-mmd-1", "table"} <= agreed(project)
    snakemake(project)
    assert agreed(project) == set()


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
    project.edit(PARAMS, "    wae-mmd:", "    wae:")
    project.run("wae", "dvc")
    assert {"train-digits@wae-1", "train-digits@wae-2", "collect"} <= agreed(project)
    snakemake(project)
    assert agreed(project) == set()


def test_another_environment(project: Project) -> None:
    everything = {job.name for job in project.planned(TARGET, "--forceall")}
    with (project.folder / "uv.lock").open("a", encoding="utf-8") as file:
        file.write("\n# another\n")
    assert agreed(project) == everything
    snakemake(project)
    assert agreed(project) == set()


def test_back_and_forth_by_dvc_s_run_cache(project: Project) -> None:
    """A parameter set to another value and back: DVC restores, receipts with the outputs, and runs nothing."""
    for value in ("0.0006", "0.0005"):
        set_lr(project, value)
        repro(project)
        assert agreed(project) == set()


def test_a_stash_and_a_cleaned_cache(project: Project) -> None:
    set_lr(project, "0.0006")
    snakemake(project)
    identity = ("-c", "user.name=tests", "-c", "user.email=tests@example.org")
    for command in (("stash", "--quiet"), ("stash", "pop", "--quiet")):
        project.run("git", *identity, *command)
        assert agreed(project) == GAN
        project.run("dvc", "checkout", "--quiet", *FILES)
        assert agreed(project) == set()
    project.run("dvc", "gc", "--workspace", "--force", "--quiet")
    assert agreed(project) == set()
    set_lr(project, "0.0005")
    repro(project)
    assert agreed(project) == set()


def test_snakemake_s_own_ways_of_choosing_jobs(project: Project) -> None:
    for options in (("--forcerun", "collect", "--", TARGET), ("--forceall", TARGET)):
        snakemake(project, *options)
        assert agreed(project) == set()
    set_lr(project, "0.0007")
    snakemake(project, TARGET, "--until", "train")
    assert agreed(project) == GAN - {"train-digits@wae-gan-1"}
    snakemake(project, TARGET, "--touch", check=False)
    assert agreed(project) == GAN - {"train-digits@wae-gan-1"}
