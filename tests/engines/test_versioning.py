"""Artifacts go out to remotes and come back from them whole; what a licence keeps on this machine stays there."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support.project import ROOT, Project
from support.remotes import PROFILE, cloned, configured
from support.stubs import LOCK, PARAMS, TARGET, agreed, set_lr, snakemake

# ---- HTTP, for readers ------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which it can be read and not written."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield folder, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_reader_pulls_over_http_and_cannot_push(
    project: Project, published: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = published
    configured(project, url=str(folder))
    project.run("dvc", "push", "--quiet", "--with-deps", PROFILE)
    kept = sorted(folder.rglob("*"))
    configured(project, url=address)
    reader = cloned(project, tmp_path / "reader")
    reader.run("dvc", "pull", "--quiet", "--with-deps", PROFILE)
    assert agreed(reader) == set()
    (reader.folder / "data/digits/test.npy").write_text("another", encoding="utf-8")
    reader.run("dvc", "commit", "--quiet", "--force", "data/dvc.yaml:prepare-digits")
    assert reader.run("dvc", "push", "--quiet", "data/dvc.yaml:prepare-digits", check=False).returncode
    assert sorted(folder.rglob("*")) == kept


# ---- what may not be redistributed ------------------------------------------

PIXELS = b"pixels that may not be passed on"
SOURCE = f"""
  private:
    urls: []
    by_hand: ask its keeper for pixels.bin
    licence: "for this machine only"
    redistribute: false
    files:
      pixels.bin: {{md5: {hashlib.md5(PIXELS).hexdigest()}}}
"""


def recorded(project: Project) -> dict[bool, set[str]]:
    """Contents by md5: under True those that DVC may push, under False those that it may not."""
    script = (
        "import json; from dvc.repo import Repo; print(json.dumps([[o.can_push, o.hash_info.value] "
        "for s in Repo().index.stages for o in s.outs if o.hash_info]))"
    )
    outs = json.loads(project.run("python", "-c", script).stdout.splitlines()[-1])
    return {pushed: {digest for may, digest in outs if may is pushed} for pushed in (True, False)}


def by_hand(project: Project) -> None:
    """Place the file where a download looks for what was fetched by hand."""
    (project.folder / "mirror/private").mkdir(parents=True)
    (project.folder / "mirror/private/pixels.bin").write_bytes(PIXELS)


@pytest.fixture
def private(project: Project) -> Project:
    """The smoke run of a data set that may not be passed on; its download is the real one."""
    shutil.copy(ROOT / "wae/stages/download.py", project.folder / "wae/stages/download.py")
    project.edit("data/params.yaml", "\nsources:", f"\nsources:{SOURCE}#")
    project.edit("data/params.yaml", "digits: {kind: digits,", "digits: {kind: digits, source: private,")
    project.run("wae", "dvc")
    by_hand(project)
    snakemake(project)
    return project


def test_what_may_not_be_passed_on_is_not_pushed(private: Project, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    configured(private, url=str(remote))
    private.run("dvc", "push", "--quiet", "--with-deps", PROFILE)
    found = {path.parent.name + path.name for path in (remote / "files/md5").rglob("*") if path.is_file()}
    contents = recorded(private)
    assert hashlib.md5(PIXELS).hexdigest() in contents[False]
    assert found == contents[True]  # stubs give some pictures of both kinds the same bytes
    clone = cloned(private, tmp_path / "clone")
    missing = clone.run("dvc", "pull", "--with-deps", PROFILE, check=False)
    assert missing.returncode
    assert "data/raw/private/pixels.bin" in missing.stderr
    assert {"download-private", "prepare-digits", "train-digits@wae-mmd-1"} <= jobs(clone)
    failed = clone.run("snakemake", "--cores", "1", TARGET, check=False)
    assert failed.returncode
    assert "By hand: ask its keeper for pixels.bin; put them into mirror/private/ and run again." in told(failed)
    by_hand(clone)
    snakemake(clone, "data/digits/train.npy")
    rest = jobs(clone)  # what was pulled is right again; what shows real images has to be drawn
    assert {"floor-digits", "evaluate-digits@wae-mmd-1", "table"} <= rest
    assert not {"download-private", "classifier-digits", "train-digits@wae-mmd-1", "train-digits@wae-gan-1"} & rest


def jobs(project: Project) -> set[str]:
    return {job.name for job in project.planned(TARGET)}


def told(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


# ---- experiments and comparisons, for `make test-long` ----------------------

WEIGHT = "models.digits.wae-mmd.weight"
METRICS, TERM = "results/smoke/digits/wae-mmd/1/metrics.json", "autoencoder.reconstruction"


@pytest.fixture
def experiment(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An experiment with another weight of one model, on top of the last commit."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "tests")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tests@example.org")
    done = project.run("dvc", "exp", "run", "--name", "heavier", "--set-param", f"{PARAMS}:{WEIGHT}=20", PROFILE)
    ran = set(re.findall(r"Running stage '.*:(.+)'", done.stdout))
    assert ran == {
        "train-digits@wae-mmd-1", "evaluate-digits@wae-mmd-1", "samples-digits@wae-mmd", "codes-digits@wae-mmd",
        "collect", "compare-digits", "table",
    }  # fmt: skip
    return project


@pytest.mark.slow
def test_an_experiment_is_compared_with_where_it_began(experiment: Project) -> None:
    assert agreed(experiment) == set()
    rows = experiment.run("dvc", "params", "diff").stdout.splitlines()[1:]
    assert [row.split() for row in rows if row] == [[PARAMS, WEIGHT, "10", "20"]]
    metric = json.loads(experiment.run("dvc", "metrics", "diff", "--json").stdout)
    assert list(metric) == [METRICS]  # the other model's numbers are the same
    plots = json.loads(experiment.run("dvc", "plots", "diff", "HEAD", "--targets", PROFILE, "--json").stdout)["data"]
    (curve,) = plots[f"smoke digits wae-mmd {TERM}"]
    drawn = {point["rev"]: point[TERM] for point in curve["content"]["data"]["values"]}
    assert drawn.keys() == {"HEAD", "workspace"}
    assert drawn["HEAD"] != drawn["workspace"]
    shown = experiment.run("dvc", "exp", "show", "--only-changed", "--csv").stdout
    weights = [row[WEIGHT] for row in csv.DictReader(shown.splitlines())]
    assert weights == ["20", "10", "20"]  # of the working tree, of the commit, and of the experiment upon it


@pytest.mark.slow
def test_what_snakemake_made_is_saved_as_an_experiment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_NAME", "tests")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "tests@example.org")
    set_lr(project, "0.0006")
    snakemake(project)
    status = project.run("git", "status", "--short").stdout
    assert status == f" M {LOCK}\n M {PARAMS}\n"
    without = project.run("dvc", "exp", "save", "--name", "all", check=False)
    assert "failed to save experiment - dependency 'data/" in without.stderr
    (project.folder / LOCK).touch()  # DVC has left git's index with the time of the changed file
    assert project.run("git", "status", "--short").stdout == status
    project.run("dvc", "exp", "save", "--name", "faster", PROFILE)
    project.run("git", "checkout", "--quiet", ".")
    project.run("dvc", "checkout", "--quiet", PROFILE)
    assert agreed(project) == set()
    project.run("dvc", "exp", "apply", "faster", check=False)
    assert agreed(project) == set()
    assert "lr: 0.0006\n" in (project.folder / PARAMS).read_text(encoding="utf-8")


@pytest.mark.slow
def test_back_from_an_experiment_and_to_it_again(experiment: Project) -> None:
    experiment.run("git", "checkout", "--quiet", ".")
    experiment.run("dvc", "checkout", "--quiet", PROFILE)
    assert agreed(experiment) == set()
    assert "weight: 10\n" in (experiment.folder / PARAMS).read_text(encoding="utf-8")
    applied = experiment.run("dvc", "exp", "apply", "heavier", check=False)
    assert "results/mnist/" in applied.stderr  # what nobody has made, it cannot check out, and says so
    assert "results/smoke/" not in applied.stderr
    assert agreed(experiment) == set()
    assert "weight: 20\n" in (experiment.folder / PARAMS).read_text(encoding="utf-8")
