"""A user's folder of pictures under both engines: prepared once, and again when a picture changes."""

from __future__ import annotations

import re
from pathlib import Path

from support.pictures import jpeg
from support.project import copy

ENTRY = (
    "{kind: images, path: data/raw/own, shape: [1, 28, 28], labels: false, train: 200, test: 100, filter: box, seed: 1}"
)


def test_both_engines_prepare_a_folder_and_see_that_a_picture_changed(tmp_path: Path) -> None:
    project = copy(tmp_path)
    own = project.folder / "data/raw/own"
    own.mkdir(parents=True)
    for i in range(300):
        (own / f"{i}.jpg").write_bytes(jpeg(i, (20, 24)))
    project.edit("data/params.yaml", "\n  digits:", f"\n  mine: {ENTRY}\n  digits:")
    params = project.folder / "params/smoke/params.yaml"
    text = params.read_text().replace("digits", "mine").replace("features: [classifier]", "features: []")
    params.write_text(re.sub(r"(?m)^    classifier: .*$", "    classifier: null", text))
    project.run("wae", "dvc")
    project.run("dvc", "repro", "--quiet", "data/dvc.yaml:prepare-mine")
    target = "data/mine/train.npy"
    assert project.planned(target) == []
    (own / "0.jpg").write_bytes(jpeg(999, (20, 24)))
    assert [job.name for job in project.planned(target)] == ["prepare-mine"]
    assert "data/raw/own" in project.run("dvc", "status", "data/dvc.yaml:prepare-mine").stdout
    project.run("snakemake", "--cores", "1", target)
    assert "up to date" in project.run("dvc", "status", "data/dvc.yaml:prepare-mine").stdout
    assert project.planned(target) == []
