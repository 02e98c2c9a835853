"""The smoke run by both engines: the same bytes, and the same answer to what is stale after an edit."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from support.project import Project, copy, descendants, short

TARGET, PARAMS = "results/smoke/table.csv", "params/smoke/params.yaml"
FILES = ("params/smoke/dvc.yaml", "data/dvc.yaml:prepare-digits")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The smoke run made by Snakemake, which lets DVC record it."""
    project = copy(tmp_path_factory.mktemp("engines"))
    project.run("snakemake", "--cores", "2", TARGET)
    return project


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_both_call_a_finished_run_up_to_date(project: Project) -> None:
    assert project.planned(TARGET) == []
    assert project.changed(*FILES) == set()


def test_dvc_makes_the_same_bytes_from_scratch(project: Project, tmp_path: Path) -> None:
    other = copy(tmp_path)
    other.run("dvc", "repro", "params/smoke/dvc.yaml")
    made = digests(other.folder / "results" / "smoke")
    assert "table.csv" in made
    assert made == digests(project.folder / "results" / "smoke")
    assert other.planned(TARGET) == []


EDITS = {
    "one model's weight": (
        PARAMS,
        "      weight: 10\\n",
        "      weight: 11\\n",
        {"train-digits@wae-mmd-1"},
    ),
    "one model's critic": (PARAMS, "lr: 0.0005", "lr: 0.0006", {"train-digits@wae-gan-1"}),
    "how all are measured": (
        PARAMS,
        "    samples: 100\\n",
        "    samples: 90\\n",
        {"floor-digits", "evaluate-digits@wae-mmd-1"},
    ),
    "code of the metrics": (
        "wae/metrics/distances/frechet.py",
        '"""',
        '"""Edited. ',
        {"floor-digits", "evaluate-digits@wae-gan-1"},
    ),
    "code of the table": ("wae/stages/table.py", '"""', '"""Edited. ', {"table"}),
}


@pytest.mark.parametrize("edit", EDITS)
def test_after_an_edit_snakemake_plans_what_dvc_calls_changed_and_its_descendants(edit: str, project: Project) -> None:
    file, old, new, expected = EDITS[edit]
    kept = (project.folder / file).read_bytes()
    try:
        project.edit(file, old.replace("\\n", "\n"), new.replace("\\n", "\n"))
        changed = project.changed(*FILES)
        stages = project.stages()
        planned = {job.name for job in project.planned(TARGET)}
        assert planned == {short(address) for address in descendants(stages, changed)}
        assert expected <= planned
        assert "table" in planned
        assert "prepare-digits" not in planned
    finally:
        (project.folder / file).write_bytes(kept)
    assert project.planned(TARGET) == []


def test_one_models_weight_leaves_the_other_model_alone(project: Project) -> None:
    kept = (project.folder / PARAMS).read_bytes()
    try:
        critic = "      penalty: {kind: adversarial, layers: 4, units: 512, rounds: 1}\n"
        project.edit(PARAMS, f"{critic}      weight: 10\n", f"{critic}      weight: 20\n")
        names = {job.name for job in project.planned(TARGET)}
        assert names == {
            "train-digits@wae-gan-1", "evaluate-digits@wae-gan-1", "samples-digits@wae-gan", "codes-digits@wae-gan",
            "collect", "compare-digits", "table",
        }  # fmt: skip
    finally:
        (project.folder / PARAMS).write_bytes(kept)


MISTAKES = {
    "unknown key": ("      noise: 0.01\n", "      noice: 0.01\n", "noice is an unknown key"),
    "grid not rendered": ("seeds: [1]", "seeds: [1, 2]", "does not fit params/smoke/params.yaml"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_dvc_repro_stops_with_the_sentence(mistake: str, project: Project) -> None:
    old, new, sentence = MISTAKES[mistake]
    kept = (project.folder / PARAMS).read_bytes()
    before = digests(project.folder / "results")
    try:
        project.edit(PARAMS, old, new)
        done = project.run("dvc", "repro", "params/smoke/dvc.yaml", check=False)
        assert done.returncode
        assert sentence in done.stdout + done.stderr
    finally:
        (project.folder / PARAMS).write_bytes(kept)
        # DVC removes a stage's outputs before it runs it; they are in its cache.
        project.run("dvc", "checkout", *FILES)
    assert digests(project.folder / "results") == before


def test_dvc_shows_params_metrics_and_plots_and_moves_artifacts(project: Project, tmp_path: Path) -> None:
    project.run("dvc", "remote", "modify", "--local", "storage", "url", str(tmp_path / "remote"))
    project.run("dvc", "push", *FILES)
    table = project.folder / "results" / "smoke" / "table.csv"
    content = table.read_bytes()
    shutil.rmtree(project.folder / "results")
    shutil.rmtree(project.folder / ".dvc" / "cache")
    project.run("dvc", "pull", *FILES)
    assert table.read_bytes() == content
    assert "fd_classifier.value" in project.run("dvc", "metrics", "show", "--md").stdout
    project.run("dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    assert "autoencoder" in (tmp_path / "plots" / "index.html").read_text(encoding="utf-8")


def test_snakemake_without_a_target_plans_the_full_table(tmp_path: Path) -> None:
    plan = copy(tmp_path).run("snakemake", "--dry-run", "--quiet", "rules").stdout
    assert "table" in plan
    assert "Nothing to be done" not in plan
