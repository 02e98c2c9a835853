"""The slices of bench/gpu.sh: tests, speed, the rows of each data set, the table. A stopped one goes on later."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from wae.config.check import Mistakes
from wae.io import write_json, write_text
from wae.pipeline.files import runs
from wae.pipeline.profile import Profile

MORE = 75  # EX_TEMPFAIL: call again
ENOUGH = 20.0  # seconds that are worth starting a slice for
GRACE = 60.0  # seconds to write a checkpoint in
SPEED = {
    "cpu": ["--models", "wae-mmd", "--widths", "0.03125", "--rounds", "2"],
    "cuda": ["--widths", "0.125", "1", "--rounds", "30", "--compile"],
}


@dataclass(frozen=True)
class Slice:
    """A command that does what is left of one thing, and what to keep of it."""

    name: str
    summary: str
    command: list[str]
    keep: Callable[[Path], None] = lambda out: None


@dataclass
class Mark:
    """What is known of a slice: new, stopped, done or failed; the time it has taken, in how many calls."""

    state: str = "new"
    seconds: float = 0.0
    calls: int = 0


# ---- the slices -------------------------------------------------------------


def slices(profile: Profile, scratch: Path) -> list[Slice]:
    device = "cpu" if profile.params["compute"]["device"] == "cpu" else "cuda"
    report, csv = scratch / "tests.xml", scratch / "speed.csv"
    marked = [str(path) for path in sorted(Path("tests").rglob("test_*.py")) if "mark.gpu" in path.read_text()]
    pytest = [sys.executable, "-m", "pytest", "-m", "gpu", "-rs", f"--junitxml={report}", *marked]
    speed = [sys.executable, "bench/train.py", "--device", device, *SPEED[device], "--csv", str(csv)]
    return [
        Slice("tests", "pytest -m gpu", pytest, partial(keep_tests, report, device)),
        Slice("speed", "training with and without each optimisation", speed, lambda out: copy(csv, out)),
        *(rows(profile, dataset) for dataset in profile.params["grid"]),
        Slice("table", f"{profile.results}/table.csv", snakemake(f"{profile.results}/table.csv")),
    ]


def rows(profile: Profile, dataset: str) -> Slice:
    """Every number of a data set: its data row, and each model from each seed."""
    targets = [f"{profile.results}/{dataset}/data/metrics.json", *runs(profile, dataset, "metrics.json")]
    return Slice(dataset, f"{len(targets)} rows of metrics", snakemake(*targets))


def snakemake(*targets: str) -> list[str]:
    # A killed Snakemake leaves its lock; this script has one of its own.
    jobs = os.environ.get("BENCH_JOBS", "1")
    options = ["--cores", str(os.cpu_count()), "--nolock", "--resources", f"gpu={jobs}"]
    return [sys.executable, "-m", "snakemake", *options, "--", *targets]


# ---- what is kept -----------------------------------------------------------


def copy(file: Path, out: Path) -> None:
    if file.exists():
        shutil.copy(file, out / file.name)


def keep_tests(report: Path, device: str, out: Path) -> None:
    """How many passed, failed and were skipped; on a GPU nothing may be skipped."""
    if not report.exists():
        return
    names: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        kind = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        names[kind].append(f"{case.get('classname')}::{case.get('name')}")
    write_json(
        out / "tests.json", {**{kind: len(found) for kind, found in names.items()}, "failed tests": names["failed"]}
    )
    if device == "cuda" and names["skipped"]:
        raise Refused(f"{len(names['skipped'])} GPU tests were skipped although there is a GPU")


class Refused(Exception):
    """A slice whose command succeeded did not do what it is for."""


def keep_results(profile: Profile, scratch: Path, out: Path) -> None:
    """The tables, and one archive of everything small: metrics, histories, pictures and logs, no weights."""
    for path in Path(profile.results).glob("table.*"):
        copy(path, out)
    with tarfile.open(out / "results.tar.gz", "w:gz") as archive:
        for folder in (Path(profile.results), *Path("logs").glob(f"*/{profile.results}"), scratch / "logs"):
            for path in sorted(folder.rglob("*")):
                if path.suffix in (".json", ".csv", ".md", ".png", ".log", ".tsv"):
                    archive.add(path)


def environment() -> dict[str, object]:
    """What the numbers were measured on."""
    import torch

    found: dict[str, object] = {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }
    if torch.cuda.is_available():
        of = torch.cuda.get_device_properties(0)
        found |= {"gpu": of.name, "memory": of.total_memory, "capability": f"{of.major}.{of.minor}"}
        found |= {"cudnn": torch.backends.cudnn.version()}
    return found


# ---- running ----------------------------------------------------------------


class Clock:
    """The seconds that are left; SIGTERM and SIGINT end them."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.stopped = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: object) -> None:
        self.stopped = True

    @property
    def left(self) -> float:
        return 0.0 if self.stopped else self._end - time.monotonic()


def play(command: list[str], log: Path, clock: Clock) -> str:
    """Run a command to its end, or stop it when the time is up: its state then."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as stream:
        # A session of its own, so that the signal reaches every process of the slice and none of ours.
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
        while process.poll() is None and clock.left > 0:
            time.sleep(0.1)
        if process.poll() is not None:
            return "failed" if process.returncode else "done"
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return "stopped"


def work(chosen: list[Slice], marks: dict[str, Mark], clock: Clock, scratch: Path, out: Path) -> None:
    for slice in chosen:
        if clock.left < ENOUGH:
            return
        mark, began, log = marks[slice.name], time.monotonic(), scratch / "logs" / f"{slice.name}.log"
        print(f"{slice.name}: {slice.summary}", flush=True)
        mark.state = play(slice.command, log, clock)
        mark.seconds, mark.calls = round(mark.seconds + time.monotonic() - began, 1), mark.calls + 1
        try:
            slice.keep(out)
        except Refused as reason:
            mark.state = "failed"
            print(f"{slice.name}: {reason}", flush=True)
        print(f"{slice.name}: {mark.state}, {mark.seconds} s in {mark.calls} calls; log in {log}", flush=True)
        write_json(scratch / "slices.json", {name: asdict(mark) for name, mark in marks.items()})


def show(every: list[Slice], marks: dict[str, Mark]) -> str:
    lines = [f"{s.name:12s} {marks[s.name].state:8s} {marks[s.name].seconds:8.1f} s  {s.summary}" for s in every]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/gpu.sh", description=__doc__)
    parser.add_argument("--list", action="store_true", help="show the slices and which are done")
    parser.add_argument("slices", nargs="*", help="run these, done or not; without names, those that are left")
    options = parser.parse_args()
    try:
        profile = Profile.read(os.environ.get("BENCH_PROFILE", "paper"))
    except Mistakes as mistakes:
        sys.exit(str(mistakes))
    scratch, out = Path("scratch/gpu", profile.name), Path(os.environ.get("OUT", "results/gpu"))
    every = slices(profile, scratch)
    if unknown := set(options.slices) - {slice.name for slice in every}:
        parser.error(f"no slice {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in every)}")
    marks = {slice.name: Mark() for slice in every}
    if (scratch / "slices.json").exists():
        marks |= {k: Mark(**v) for k, v in json.loads((scratch / "slices.json").read_text()).items() if k in marks}
    if options.list:
        print(show(every, marks), end="")
        return 0
    return call(profile, every, marks, options.slices, scratch, out)


def call(
    profile: Profile, every: list[Slice], marks: dict[str, Mark], names: list[str], scratch: Path, out: Path
) -> int:
    clock = Clock(float(os.environ.get("BENCH_SECONDS", "540")))
    found = environment()
    if profile.params["compute"]["device"] == "cuda" and "gpu" not in found:
        sys.exit(f"{Profile.file(profile.name)} asks for cuda, and torch {found['torch']} finds no GPU here")
    out.mkdir(parents=True, exist_ok=True)
    chosen = [s for s in every if (s.name in names if names else marks[s.name].state in ("new", "stopped"))]
    work(chosen, marks, clock, scratch, out)
    write_json(out / "slices.json", {"environment": found, "slices": {k: asdict(m) for k, m in marks.items()}})
    write_text(out / "slices.txt", show(every, marks))
    keep_results(profile, scratch, out)
    states = {mark.state for mark in marks.values()}
    return MORE if states & {"new", "stopped"} else 1 if "failed" in states else 0


if __name__ == "__main__":
    sys.exit(main())
