"""Both engines at many runs whose stages take no time: `python bench/scale.py [--models 16] [--seeds 20]`.

Or, what it costs to find that a finished profile of this folder is up to date: `python bench/scale.py --of demo`.

The project's files in a temporary folder, its smoke profile with that many models and seeds, and stubs for stages, made
once without an engine: what is timed is the engines and what keeps them agreed. Seconds of wall time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.project import ROOT, Project
from support.stubs import PARAMS, commit, stubbed

PROFILE, DIGITS = "params/smoke/dvc.yaml", "data/dvc.yaml:prepare-digits"
OWN = """
import json, time
from wae.pipeline.dag import jobs
from wae.provenance.lock import unrecorded
from wae.pipeline.profile import Profile
from wae.provenance.receipt import Hashes
from wae.pipeline.render import stale
from wae.provenance.state import State
def lap(name):
    global at
    said[name], at = time.perf_counter() - at, time.perf_counter()
said, at = {}, time.perf_counter()
profile = Profile.read("NAME"); lap("params read and checked")
assert not stale(profile); lap("dvc.yaml rendered and compared")
state = State(jobs(profile), Hashes())
state.stale(); lap("receipts compared")
unrecorded(state); lap("dvc.lock compared")
print(json.dumps(said))
"""


def grown(project: Project, models: int, seeds: int) -> None:
    """Give the smoke profile that many models, alike but for their weight, and seeds."""
    names = [f"m{number}" for number in range(models - 2)]
    project.edit(PARAMS, "[wae-mmd, wae-gan]", f"[{', '.join(['wae-mmd', 'wae-gan', *names][:models])}]")
    project.edit(PARAMS, "seeds: [1]", f"seeds: {list(range(1, seeds + 1))}")
    text = (project.folder / PARAMS).read_text(encoding="utf-8")
    entry = text[text.index("    wae-mmd:\n") : text.index("    wae-gan:")]
    with (project.folder / PARAMS).open("a", encoding="utf-8") as file:
        for number, name in enumerate(names):
            file.write(entry.replace("wae-mmd:", f"{name}:").replace("weight: 10\n", f"weight: {number + 11}\n"))
    project.run("wae", "dvc")
    commit(project, "grown")


MAKE = """
import importlib
from wae.provenance import receipt
from wae.pipeline.dag import jobs
from wae.pipeline.profile import Profile
from wae.provenance.receipt import Hashes
from wae.provenance.state import State
state = State(jobs(Profile.read("smoke")), Hashes())
for address in state.stale():
    job = state.jobs[address]
    if not "ONLY" or address in "ONLY".split():
        begun = receipt.begun(job)
        importlib.import_module(f"wae.stages.{job.stage.name}").run(job)
        receipt.finished(job, begun)
"""
RECORD = """
from wae.pipeline.dag import jobs
from wae.provenance.lock import record
from wae.pipeline.profile import Profile
from wae.provenance.receipt import Hashes
from wae.provenance.state import State
record(State(jobs(Profile.read("smoke")), Hashes()))
"""


def timed(name: str, run: Callable[[], object]) -> None:
    """Print the wall seconds of something."""
    begin = time.perf_counter()
    run()
    print(f"{name:44}{time.perf_counter() - begin:8.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--of", metavar="PROFILE")
    options = parser.parse_args()
    if options.of:
        nothing_to_do(Project(ROOT), options.of)
        return
    with tempfile.TemporaryDirectory() as folder:
        project = stubbed(Path(folder, "project"))
        grown(project, options.models, options.seeds)
        measure(project)


def plan(project: Project, *options: str, profile: str = "smoke") -> None:
    project.run("snakemake", *options, "--quiet", "all", "--", f"results/{profile}/table.csv")


def nothing_to_do(project: Project, profile: str) -> None:
    """Time what finds that all is up to date, and our part of it."""
    timed("plan, nothing to do (snakemake -n)", lambda: plan(project, "-n", profile=profile))
    timed("the same again", lambda: plan(project, "-n", profile=profile))
    timed("the same without -n", lambda: plan(project, "--cores", "4", profile=profile))
    own = project.run(sys.executable, "-c", OWN.replace("NAME", profile)).stdout
    for part, seconds in json.loads(own).items():
        print(f"  of it, {part:36}{seconds:8.2f}")


def measure(project: Project) -> None:
    def python(script: str) -> str:
        return project.run(sys.executable, "-c", script).stdout

    python(MAKE.replace("ONLY", ""))
    timed("sync of everything (dvc commit)", lambda: python(RECORD))
    commit(project, "made")
    nothing_to_do(project, "smoke")
    timed("dvc status", lambda: project.run("dvc", "status", PROFILE, DIGITS))
    project.edit(PARAMS, "      weight: 10\n      noise", "      weight: 12\n      noise")
    timed("plan after an edit of one model", lambda: plan(project, "-n"))
    python(MAKE.replace("ONLY", "train-digits@wae-mmd-1"))
    timed("sync of one run", lambda: python(RECORD))
    lock = (project.folder / PROFILE).with_name("dvc.lock").read_text(encoding="utf-8")
    stages = lock.count("\n    cmd: ")
    print(f"dvc.lock: {len(lock.splitlines()):,} lines, {len(lock) / 1e3:,.0f} kB, {stages} stages")


if __name__ == "__main__":
    main()
