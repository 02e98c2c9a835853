"""Questions are answered where nothing can be written: a read-only checkout, a full disk."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.project import Project
from support.stubs import PARAMS, TARGET

# root may write everywhere, unless it gives that up
DROPPED = "-dac_override,-dac_read_search,-fowner"
UNPRIVILEGED = ("setpriv", "--bounding-set", DROPPED, "--inh-caps", DROPPED) if os.geteuid() == 0 else ()
FULL = ("prlimit", "--fsize=0")  # each write fails, as on a full disk
FIGURE = "results/smoke/digits/wae-gan/samples.png"
QUESTIONS = [("why", TARGET), ("trace", FIGURE), ("verify",), ("verify", "--deep"), ("check",)]


@pytest.fixture
def fresh(project: Project) -> Project:
    """The smoke run of stubs, of which nothing is cached, with one parameter edited."""
    for cached in (".wae/hashes.json", ".wae/locked/smoke.json", ".wae/locked/data.json"):
        (project.folder / cached).unlink(missing_ok=True)
    project.edit(PARAMS, "lr: 0.0005", "lr: 0.0006")
    return project


def permit(project: Project, mode: int) -> None:
    for folder in [project.folder, *(path for path in project.folder.rglob("*") if path.is_dir())]:
        folder.chmod(mode)


@pytest.fixture
def read_only(fresh: Project) -> Iterator[Project]:
    permit(fresh, 0o555)
    yield fresh
    permit(fresh, 0o755)


def answers(project: Project, *before: str) -> list[tuple[int, str, str]]:
    asked = [project.run(*before, "wae", *question, check=False) for question in QUESTIONS]
    return [(done.returncode, done.stdout, done.stderr) for done in asked]


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_a_full_disk_changes_no_answer(question: tuple[str, ...], fresh: Project) -> None:
    full = fresh.run(*FULL, "wae", *question, check=False)
    assert not (fresh.folder / ".wae/hashes.json").exists()
    free = fresh.run("wae", *question, check=False)
    assert (full.returncode, full.stdout, full.stderr) == (free.returncode, free.stdout, free.stderr)


def test_a_read_only_checkout_changes_no_answer(read_only: Project) -> None:
    there = answers(read_only, *UNPRIVILEGED)
    permit(read_only, 0o755)
    assert there == answers(read_only)


def test_snakemake_says_that_it_cannot_write(read_only: Project) -> None:
    done = read_only.run(*UNPRIVILEGED, "snakemake", "-n", TARGET, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"{read_only.folder.resolve()}: cannot be written; ")
    assert "Traceback" not in done.stdout + done.stderr
