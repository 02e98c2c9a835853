"""The package of the working directory serves, not the installed one: DVC's queue, and git's worktrees."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.project import ROOT, Project
from support.stubs import PARAMS, TARGET, commit

WEIGHT = "models.digits.wae-mmd.weight"
PROFILE = "params/smoke/dvc.yaml"
LR = "models.digits.wae-gan.optimisers.latent_critic.lr"


SCRIPT = f"""#!{sys.executable}
import sys
at = next(index for index, path in enumerate(sys.path) if path.endswith("site-packages"))
sys.path.insert(at, {str(ROOT)!r})  # where an installed package comes: after PYTHONPATH and the standard library
from wae.cli import main
main()
"""


def installed(project: Project, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command as `make setup` installs it: nothing but the working directory says which code is meant."""
    script = project.folder.parent / "bin/wae"
    if not script.exists():
        script.parent.mkdir()
        script.write_text(SCRIPT, encoding="utf-8")
        script.chmod(0o755)
    environment = {key: value for key, value in project.environment().items() if key != "PYTHONPATH"}
    environment["PATH"] = f"{script.parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        command, cwd=project.folder, env=environment,
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture
def named(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The smoke run of stubs, in a repository whose user git knows."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "tests")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tests@example.org")
    return project


def experiments(project: Project) -> list[dict[str, str]]:
    shown = installed(project, "dvc", "exp", "show", "--csv", "--hide-workspace").stdout
    return [row for row in csv.DictReader(shown.splitlines()) if row["rev"] and row["typ"] != "baseline"]


def finished(project: Project, count: int) -> None:
    """Wait until that many tasks of the queue have ended, well or not."""
    until = time.monotonic() + 240
    while time.monotonic() < until:
        said = installed(project, "dvc", "queue", "status").stdout
        if said.count("Success") + said.count("Failed") == count:
            return
        time.sleep(1)
    raise AssertionError(installed(project, "dvc", "queue", "status").stdout)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sweep_of_three_values_by_two_workers_of_dvc_s_queue(named: Project) -> None:
    installed(named, "dvc", "exp", "run", "--queue", "--set-param", f"{PARAMS}:{WEIGHT}=20,30,40", PROFILE)
    installed(named, "dvc", "queue", "start", "--jobs", "2")
    try:
        finished(named, 3)
    finally:
        installed(named, "dvc", "queue", "stop", "--kill", check=False)
    rows = experiments(named)
    assert sorted((row[WEIGHT], row["State"]) for row in rows) == [(value, "Success") for value in ("20", "30", "40")]
    assert len({row["results/smoke/digits/wae-mmd/1/metrics.json:value"] for row in rows}) == 3


def test_an_experiment_in_a_temporary_folder_leaves_the_results_here_alone(named: Project) -> None:
    before = (named.folder / "results/smoke/digits/wae-mmd/1/metrics.json").read_text(encoding="utf-8")
    installed(named, "dvc", "exp", "run", "--temp", "--name", "there", "--set-param", f"{PARAMS}:{LR}=0.0007", PROFILE)
    assert (named.folder / "results/smoke/digits/wae-mmd/1/metrics.json").read_text(encoding="utf-8") == before
    assert [row[LR] for row in experiments(named)] == ["0.0007"]


def test_a_worktree_runs_its_own_code(named: Project, tmp_path: Path) -> None:
    installed(named, "git", "worktree", "add", "--quiet", str(tmp_path / "tree"))
    tree = Project(tmp_path / "tree")
    tree.edit("wae/stages/stub.py", "digest = hashlib.sha256(", "digest = hashlib.sha256(b'other' + ")
    tree.edit(
        "wae/stages/stub.py", ".encode())\n    for path in job.input", ".encode())  # and\n    for path in job.input"
    )
    commit(tree, "another code")
    installed(tree, "snakemake", "--cores", "2", TARGET)
    assert installed(tree, "wae", "why", TARGET).stdout.endswith("inputs and code that are there now.\n")
    assert "up to date" in installed(named, "wae", "why", TARGET).stdout
    ours, theirs = ((of.folder / "data/digits/train.npy").read_bytes() for of in (named, tree))
    assert ours != theirs


def test_a_folder_that_is_no_checkout_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "wae").mkdir()
    (tmp_path / "wae/__init__.py").write_text("raise SystemExit('another package')\n", encoding="utf-8")
    done = installed(Project(tmp_path), "wae", "check", check=False)
    assert done.returncode == 2
    assert "run it from the project's root" in done.stderr
