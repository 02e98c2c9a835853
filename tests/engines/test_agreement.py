"""After any sequence of runs, edits, checkouts and accidents both engines say the same of what is up to date."""

from __future__ import annotations

import shutil
from pathlib import Path

from ruamel.yaml import YAML
from support.project import Project
from support.stubs import (
    FILES,
    GAN,
    LOCK,
    RECEIPT,
    TARGET,
    WEIGHTS,
    agreed,
    cloned,
    repro,
    set_lr,
    snakemake,
)

from wae.provenance.receipt import md5


def test_a_run_by_snakemake_is_recorded_for_dvc(project: Project) -> None:
    assert agreed(project) == set()


def test_a_parameter_edited_then_run_by_either_engine(project: Project) -> None:
    for run, value in ((repro, "0.0006"), (snakemake, "0.0007")):
        set_lr(project, value)
        assert agreed(project) == GAN
        run(project)
        assert agreed(project) == set()


def test_what_a_failed_run_finished_is_recorded_as_it_ends(project: Project) -> None:
    """Not only when Snakemake is next started: `dvc push` and `git commit` may come before."""
    before = YAML(typ="safe").load(project.folder / LOCK)["stages"]
    set_lr(project, "0.0006")
    snakemake(project, check=False, STUB_FAILS="collect")
    after = YAML(typ="safe").load(project.folder / LOCK)["stages"]
    assert {name for name in after if after[name] != before[name]} == GAN - {"collect", "compare-digits", "table"}
    assert after.keys() == before.keys()
    written = {out["path"]: out["md5"] for out in after["train-digits@wae-gan-1"]["outs"]}
    assert written == {path: md5(project.folder / path) for path in written}
    assert {WEIGHTS, RECEIPT} <= written.keys()


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


def test_what_takes_a_comment_and_would_run_all_the_same_is_not_called_up_to_date(project: Project) -> None:
    project.edit("wae/stages/samples.py", "\n\nfrom", "\n\n# A comment.\nfrom")
    set_lr(project, "0.0006")
    said = project.run("wae", "accept").stdout
    assert said == "1 job is up to date again; 1 job took it and would run for other reasons\n"
    assert agreed(project) == GAN


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
    digest = md5(project.folder / WEIGHTS)
    cache = project.folder / ".dvc/cache"
    (cache / "files/md5" / digest[:2] / digest[2:]).unlink()
    assert project.changed(*FILES)
    assert agreed(project) == set()
    shutil.rmtree(cache)
    assert project.changed(*FILES)
    assert agreed(project) == set()


def test_a_spoilt_output_that_dvc_is_told_to_commit_is_not_believed(project: Project) -> None:
    (project.folder / WEIGHTS).write_text("spoilt", encoding="utf-8")
    project.run("dvc", "commit", "--force", "--quiet", f"{FILES[0]}:train-digits@wae-gan-1")
    assert agreed(project) == GAN
