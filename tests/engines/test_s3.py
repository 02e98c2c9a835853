"""Artifacts go to an S3 server on this machine, and a fresh clone that has them from there has nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.loopback import CREDENTIALS, s3
from support.project import Project
from support.remotes import PROFILE, cloned, configured
from support.stubs import TARGET, agreed


def test_a_clone_pulls_from_s3_and_has_nothing_to_do(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with s3() as address:
        configured(project, url="s3://wae/store", endpointurl=address)
        project.run("dvc", "push", "--quiet", "--with-deps", PROFILE)
        clone = cloned(project, tmp_path / "clone")
        assert clone.planned(TARGET)
        clone.run("dvc", "pull", "--quiet", "--with-deps", PROFILE)
        assert agreed(clone) == set()
