"""Options and settings of all tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from support.project import Project
from support.stubs import agreed, commit, snakemake, stubbed

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fix", action="store_true", help="regenerate the files that tests compare with generated ones")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The smoke profile of stubs, made by Snakemake and committed; not to be changed."""
    project = stubbed(tmp_path_factory.mktemp("made"))
    assert agreed(project) >= {"prepare-digits", "table"}
    snakemake(project)
    commit(project, "made")
    return project


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    """A copy of it, times kept."""
    folder = tmp_path / "project"
    shutil.copytree(made.folder, folder, symlinks=True)
    return Project(folder)
