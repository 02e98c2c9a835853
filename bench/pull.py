"""A fresh clone that pulls a finished profile from an S3 server on this machine: `python bench/pull.py [PROFILE]`.

Pushed is what this folder's cache and lock files have of the profile (demo); a clone of the last commit and those lock
files, in a temporary folder, pulls it and asks Snakemake for the table. Seconds of wall time.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.loopback import CREDENTIALS, s3
from support.project import ROOT, Project
from support.stubs import commit


def timed(name: str, run: Callable[[], object]) -> None:
    """Print the wall seconds of something."""
    begin = time.perf_counter()
    run()
    print(f"{name:24}{time.perf_counter() - begin:8.2f}", flush=True)


def pushed(to: Path, profile: str, address: str) -> Project:
    """A clone with the lock files committed that has pushed, out of this folder's cache, to a remote of its own."""
    source = Project(to)
    Project(ROOT).run("git", "clone", "--quiet", str(ROOT), str(to))
    for file in ("data/dvc.lock", f"params/{profile}/dvc.lock"):
        shutil.copy(ROOT / file, to / file)
    for name, value in (("url", "s3://wae/store"), ("endpointurl", address)):
        source.run("dvc", "remote", "modify", "storage", name, value)
    commit(source, "made")
    source.run("dvc", "config", "--local", "cache.dir", str(ROOT / ".dvc/cache"))
    timed("dvc push", lambda: source.run("dvc", "push", "--with-deps", f"params/{profile}/dvc.yaml", **CREDENTIALS))
    return source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", nargs="?", default="demo")
    profile = parser.parse_args().profile
    with tempfile.TemporaryDirectory() as folder, s3() as address:
        source, clone = pushed(Path(folder, "source"), profile, address), Project(Path(folder, "clone"))
        timed("git clone", lambda: source.run("git", "clone", "--quiet", str(source.folder), str(clone.folder)))
        pull = ("dvc", "pull", "--with-deps", f"params/{profile}/dvc.yaml")
        timed("dvc pull", lambda: print(clone.run(*pull, **CREDENTIALS).stdout.splitlines()[-1]))
        timed("snakemake -n", lambda: print(len(clone.planned(f"results/{profile}/table.csv")), "jobs to run"))
        print("dvc status:", clone.run("dvc", "status", f"params/{profile}/dvc.yaml").stdout.strip())


if __name__ == "__main__":
    main()
