"""The commands, as typed, where something cannot be read, written or printed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.project import copy
from support.unprivileged import run, without_permission

GREY = np.random.default_rng(0).integers(0, 256, (4, 16, 16), dtype=np.uint8)


def wae(*arguments: str) -> str:
    return f"import sys; from wae.cli import main; sys.argv = ['wae', *{arguments!r}]; main()"


def pictures(path: Path) -> Path:
    path.mkdir()
    for index, pixels in enumerate(GREY):
        Image.fromarray(pixels).save(path / f"{index}.png")
    return path


@pytest.mark.parametrize("name", ["gesichter-日本", os.fsdecode(b"no-utf8-\xff")])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "ascii"])
@pytest.mark.parametrize("json", [True, False])
def test_a_name_that_cannot_be_printed_is_no_reason_to_stop(
    name: str, encoding: str, json: bool, tmp_path: Path
) -> None:
    pictures(tmp_path / name)
    (tmp_path / name / "x.gif").write_bytes(b"")
    code = wae("score", name, "--against", name, "--threads", "1", *["--json"] * json)
    done = run(code, tmp_path, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert "sharpness" in done.stdout
    assert "1 file passed over: 1 .gif" in done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy(tmp_path / "p")
    return tmp_path / "p"


@pytest.mark.parametrize(
    ("stage", "where"),
    [("download", "data"), ("download", "data/raw"), ("prepare", "data"), ("prepare", "data/digits"), ("prepare", ".")],
)
def test_a_folder_that_may_not_be_written_is_told_in_a_sentence(stage: str, where: str, project: Path) -> None:
    name = {"download": "mnist", "prepare": "digits"}[stage]
    (project / where).mkdir(exist_ok=True)
    (project / "mirror/mnist").mkdir(parents=True)
    with without_permission(project / where, 0o500):
        done = run(wae(stage, name), project, PYTHONPATH=str(project), WAE_MIRROR="mirror")
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "(Permission denied)" in done.stderr


def test_an_input_that_may_not_be_read_is_told_in_a_sentence(project: Path) -> None:
    pictures(project / "own")
    text = (project / "data/params.yaml").read_text(encoding="utf-8")
    entry = "{kind: images, path: own, shape: [1, 16, 16], labels: false, train: 2, test: 2, seed: 1}"
    changed = text.replace("  digits: {", f"  mine: {entry}\n  digits: {{", 1)
    (project / "data/params.yaml").write_text(changed, encoding="utf-8")
    assert run(wae("dvc"), project, PYTHONPATH=str(project)).returncode == 0
    with without_permission(project / "own/1.png"):
        done = run(wae("prepare", "mine"), project, PYTHONPATH=str(project))
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("wae: own/1.png cannot be used (Permission denied)")
