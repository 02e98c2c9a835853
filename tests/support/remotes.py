"""A remote as a person sets it, and a clone that knows it."""

from __future__ import annotations

from pathlib import Path

from support.project import Project
from support.stubs import commit

PROFILE = "params/smoke/dvc.yaml"


def configured(project: Project, **settings: str) -> None:
    """Set the committed remote `storage`, as a person would in `.dvc/config`."""
    for name, value in settings.items():
        project.run("dvc", "remote", "modify", "storage", name, value)
    commit(project, "another remote")


def cloned(project: Project, to: Path) -> Project:
    project.run("git", "clone", "--quiet", str(project.folder), str(to))
    return Project(to)
