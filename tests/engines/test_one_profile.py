"""DVC's view of one profile: three lines of .dvcignore, as docs/versioning.md has them."""

from __future__ import annotations

import json
import re

from support.project import ROOT, Project
from support.stubs import FILES, PARAMS, agreed

(LINE,) = re.findall(
    r"^\$ (printf .+ >> \.dvcignore)$", (ROOT / "docs/versioning.md").read_text(encoding="utf-8"), re.M
)


def told(project: Project) -> set[str]:
    """The dvc.yaml files of which `dvc status` says anything."""
    names = json.loads(project.run("dvc", "status", "--json").stdout)
    return {name.rpartition(":")[0] or "dvc.yaml" for name in names}


def test_dvc_sees_one_profile_and_both_engines_agree_on_it(project: Project) -> None:
    assert told(project) == {"dvc.yaml", "data/dvc.yaml"}
    project.run("bash", "-c", LINE)
    assert told(project) == {"data/dvc.yaml"}
    assert project.changed(*FILES) == set()
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    assert "train-digits@wae-gan-1" in agreed(project)
    project.run("dvc", "repro", "--quiet", FILES[0])
    assert agreed(project) == set()
