"""The checkout whose package serves: that of the working directory, also if another one is installed."""

from __future__ import annotations

import os
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

from wae.io import ROOT

GUARD = "WAE_CHECKOUT"  # the checkout that a command was started again for, so that it is never started twice


def here() -> Path | None:
    """The working directory if it is the root of a checkout of this project, else None."""
    folder = Path.cwd()
    with suppress(OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == "wae" and (folder / "wae/pipeline/dag.py").is_file():
            return folder
    return None


def serve() -> None:
    """Start this command again with the package of the working directory, if that is another one than was imported.

    DVC runs experiments in copies of the project below .dvc/tmp/exps/, and git has worktrees. An installed package
    would read its own code there. The code of a job is that of the checkout where it runs.
    """
    folder = here()
    if folder is None or folder == ROOT or os.environ.get(GUARD) == str(folder):
        return
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, GUARD: str(folder)}
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)
