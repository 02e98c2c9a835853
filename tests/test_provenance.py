"""Why an artifact is up to date or not, where it came from, and whether it is what it says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from project import ROOT, Project
from stubs import PARAMS, TARGET

PAGE = ROOT / "docs" / "provenance.md"
WEIGHTS = "results/smoke/digits/wae-gan/1/model.safetensors"
RECEIPT = "results/smoke/receipts/train/digits/wae-gan/1.json"
FIGURE = "results/smoke/digits/wae-gan/samples.png"


def silently(path: Path) -> None:
    """Change one byte of a file whose size and time stay what they were."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


# ---- verify -----------------------------------------------------------------


def found(project: Project, *options: str) -> list[str]:
    """What `wae verify` finds; its exit code says whether it found something."""
    done = project.run("wae", "verify", *options, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == (0 if lines == ["every artifact is what its receipt says"] else 1)
    return lines if done.returncode else []


def test_verify_finds_each_kind_of_damage(project: Project) -> None:
    assert found(project, "--deep") == []
    kept = (project.folder / WEIGHTS).read_bytes()
    silently(project.folder / WEIGHTS)
    first, *others = found(project, "--deep")
    assert first.startswith(f"{WEIGHTS}: is not what train-digits@wae-gan-1 wrote: md5 ")
    assert all(f"input {WEIGHTS} changed" in line for line in others)
    (project.folder / WEIGHTS).write_bytes(kept)
    assert found(project, "--deep") == []
    stored = cache_object(project, WEIGHTS)
    silently(project.folder / stored)
    (line,) = found(project, "--deep")
    assert line.startswith(f"{stored}: is a damaged cache object")
    assert WEIGHTS in line
    (project.folder / stored).write_bytes(kept)
    project.edit(RECEIPT, '"threads": 1', '"threads": 2')
    nothing = f"{WEIGHTS}: nothing says what made it: its receipt, {RECEIPT}, is not there or not as it was written"
    assert nothing in found(project)
    (project.folder / RECEIPT).unlink()
    assert nothing in found(project, "--deep")


def cache_object(project: Project, path: str) -> str:
    receipt = json.loads((project.folder / RECEIPT).read_text(encoding="utf-8"))
    digest = receipt["outputs"][path]
    return f".dvc/cache/files/md5/{digest[:2]}/{digest[2:]}"


def test_verify_finds_an_output_from_other_parameters(project: Project) -> None:
    other = WEIGHTS.replace("wae-gan", "wae-mmd")
    shutil.copy(project.folder / other, project.folder / WEIGHTS)
    assert any(line.startswith(f"{WEIGHTS}: is not what train-digits@wae-gan-1 wrote") for line in found(project))
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    sentence = "parameter models.digits.wae-gan.optimisers.latent_critic.lr was 0.0005 and is 0.0006"
    assert f"{RECEIPT}: tells of another state: {sentence}" in found(project)


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
    assert "wae train digits wae-mmd 1" in project.run("wae", "trace", TARGET).stdout


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
