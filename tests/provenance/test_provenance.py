"""Why an artifact is up to date or not, and where it came from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.project import ROOT, Project
from support.stubs import PARAMS, TARGET

from wae.provenance.receipt import md5

PAGE = ROOT / "docs" / "provenance.md"
WEIGHTS = "results/smoke/digits/wae-gan/1/model.safetensors"
RECEIPT = "results/smoke/receipts/train/digits/wae-gan/1.json"
FIGURE = "results/smoke/digits/wae-gan/samples.png"


# ---- trace ------------------------------------------------------------------


def test_a_picture_is_followed_back_to_its_data(project: Project, tmp_path: Path) -> None:
    copied = tmp_path / "figure.png"
    shutil.copy(project.folder / FIGURE, copied)
    of_copy = project.run("wae", "trace", str(copied)).stdout
    assert of_copy == project.run("wae", "trace", FIGURE).stdout
    for words in ("wae samples digits wae-gan", "wae train digits wae-gan 1", "lr': 0.0005", "wae prepare digits"):
        assert words in of_copy
    assert "wae-mmd 1" not in of_copy


def test_a_row_of_the_table_leaves_other_models_out(project: Project) -> None:
    row = project.run("wae", "trace", TARGET, "--row", "digits", "wae-gan").stdout
    assert "wae train digits wae-gan 1" in row
    assert "wae train digits wae-mmd 1" not in row
    assert "wae train digits wae-mmd 1" in project.run("wae", "trace", f"./{TARGET}").stdout
    for unknown, words in ((("digits", "nosuch"), "the model is 'nosuch'"), (("no", "vae"), "the data set is 'no'")):
        told = project.run("wae", "trace", TARGET, "--row", *unknown, check=False)
        assert (told.returncode, told.stdout) == (2, "")
        assert words in told.stderr


def test_a_picture_is_found_among_several_by_its_bytes(project: Project, tmp_path: Path) -> None:
    copied = tmp_path / "figure.png"
    for name in ("samples", "nearest"):
        shutil.copy(project.folder / FIGURE.replace("samples", name), copied)
        of_copy = project.run("wae", "trace", str(copied)).stdout
        assert of_copy.startswith(f"results/smoke/digits/wae-gan/{name}.png  md5 {md5(copied)}, key ")


def test_a_picture_that_was_edited_names_its_job_and_no_more(project: Project, tmp_path: Path) -> None:
    copied = tmp_path / "figure.png"
    copied.write_bytes((project.folder / FIGURE).read_bytes() + b"x")
    done = project.run("wae", "trace", str(copied), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    sentence = f"{copied}: carries the key of `wae samples digits wae-gan --profile smoke`, but its bytes were changed"
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr
    missing = project.run("wae", "trace", str(tmp_path / "none.png"), check=False).stderr
    assert missing == f"{tmp_path / 'none.png'}: is no file\n"


def test_a_picture_of_an_older_model_is_not_traced_to_the_newer_one(project: Project) -> None:
    older = md5(project.folder / WEIGHTS)
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    project.run("snakemake", "--cores", "2", WEIGHTS)
    traced = project.run("wae", "trace", FIGURE).stdout
    newer = md5(project.folder / WEIGHTS)
    words = f"made from another version of it, md5 {older}: the one that its receipt here tells of has md5 {newer}"
    assert f"{WEIGHTS}  {words}\n" in traced
    assert "wae evaluate digits wae-gan 1" in traced
    assert "wae train digits wae-gan 1" not in traced
    assert "0.0006" not in traced
    assert "lr': 0.0006" in project.run("wae", "trace", WEIGHTS).stdout


def test_a_file_that_is_not_what_its_receipt_tells_of_is_said_to_be_another(project: Project) -> None:
    written = md5(project.folder / WEIGHTS)
    for path in (WEIGHTS, "uv.lock", "claims.yaml", FIGURE):
        (project.folder / path).write_bytes((project.folder / path).read_bytes() + b"\n")
    for path in (WEIGHTS, FIGURE):
        found = project.run("wae", "trace", path).stdout.splitlines()[0]
        assert found.endswith(f"; the file here is another, md5 {md5(project.folder / path)}")
    inside = [line for line in project.run("wae", "trace", FIGURE).stdout.splitlines() if WEIGHTS in line]
    assert inside[0].strip().startswith(f"{WEIGHTS}  md5 {written}, key ")
    assert inside[0].endswith(f"; the file here is another, md5 {md5(project.folder / WEIGHTS)}")
    assert (
        f"claims.yaml  md5 {md5(ROOT / 'claims.yaml')}; the file here is" in project.run("wae", "trace", TARGET).stdout
    )
    (project.folder / WEIGHTS).unlink()
    (gone,) = [line for line in project.run("wae", "trace", FIGURE).stdout.splitlines() if WEIGHTS in line]
    assert gone.endswith("; the file is gone")


# ---- why --------------------------------------------------------------------

Edit = Callable[[Project], None]


def edit(file: str, old: str, new: str) -> Edit:
    return lambda project: project.edit(file, old, new)


def grown(file: str, line: str) -> Edit:
    def grow(project: Project) -> None:
        with (project.folder / file).open("a", encoding="utf-8") as opened:
            opened.write(line)

    return grow


def gone(file: str) -> Edit:
    return lambda project: (project.folder / file).unlink()


def seeded(project: Project) -> None:
    project.edit(PARAMS, "seeds: [1]", "seeds: [1, 2]")
    project.run("wae", "dvc")


SITUATIONS: dict[str, tuple[Edit, str]] = {
    "right after a run": (lambda project: None, TARGET),
    "a parameter edited, asked of what it trains": (edit(PARAMS, "lr: 0.0005", "lr: 0.0006"), WEIGHTS),
    "the same, asked of a picture": (edit(PARAMS, "lr: 0.0005", "lr: 0.0006"), FIGURE),
    "how all are measured, edited": (edit(PARAMS, "    samples: 100", "    samples: 90"), "results/smoke/metrics.csv"),
    "code edited": (grown("wae/stages/collect.py", "NUMBER = 1\n"), "results/smoke/metrics.csv"),
    "a comment added": (grown("wae/stages/collect.py", "# A comment.\n"), "results/smoke/metrics.csv"),
    "an array edited by hand": (grown("data/digits/train.npy", "x"), WEIGHTS),
    "an output edited by hand": (grown(WEIGHTS, "x"), WEIGHTS),
    "an output deleted": (gone(WEIGHTS), FIGURE),
    "a receipt deleted": (gone(RECEIPT), WEIGHTS),
    "a receipt edited by hand": (edit(RECEIPT, '"seed": 1', '"seed": 2'), WEIGHTS),
    "another environment": (grown("uv.lock", "\n"), "data/digits/train.npy"),
    "a seed added": (seeded, "results/smoke/digits/wae-gan/2/model.safetensors"),
}


@pytest.fixture(scope="module")
def answers(made: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, int]]:
    """Situation -> what `wae why` says, and how many jobs Snakemake plans. All past runs took a minute."""
    said = {}
    for number, (situation, (change, path)) in enumerate(SITUATIONS.items()):
        project = Project(tmp_path_factory.mktemp(f"why{number}") / "project")
        shutil.copytree(made.folder, project.folder, symlinks=True)
        for record in (project.folder / "logs").rglob("*.run.json"):
            record.write_text(json.dumps(json.loads(record.read_text()) | {"seconds": 60.0}), encoding="utf-8")
        change(project)
        said[situation] = (project.run("wae", "why", path).stdout.strip(), len(project.planned(path)))
    return said


@pytest.mark.parametrize("situation", SITUATIONS)
def test_why_says_how_many_jobs_snakemake_would_run(situation: str, answers: dict[str, tuple[str, int]]) -> None:
    sentence, planned = answers[situation]
    assert sentence.startswith(SITUATIONS[situation][1])
    if planned:
        assert f" {planned} job" in sentence
    else:
        assert "is up to date" in sentence


def test_the_page_has_what_why_says(answers: dict[str, tuple[str, int]], pytestconfig: pytest.Config) -> None:
    rows = "\n".join(f"| {situation} | {sentence} |" for situation, (sentence, _) in answers.items())
    head, rest = PAGE.read_text(encoding="utf-8").split("| situation | `wae why` |\n|---|---|\n")
    tail = rest[rest.index("\n\n") :]
    wanted = f"{head}| situation | `wae why` |\n|---|---|\n{rows}{tail}"
    if pytestconfig.getoption("--fix"):
        PAGE.write_text(wanted, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == wanted, "run pytest --fix"
