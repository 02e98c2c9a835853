"""Lets DVC record the outputs that another engine made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from wae.config.check import Mistakes
from wae.io import write_bytes
from wae.pipeline.dag import data_jobs, jobs
from wae.pipeline.profile import Profile
from wae.pipeline.render import all_data
from wae.pipeline.stage import DATA, Job
from wae.provenance.lockfile import cached, file_of, lock_of, locked, mend
from wae.provenance.state import State


def full_address(job: Job, name: str) -> str:
    """The name of a job, or of its matrix stage, on DVC's command line: with its dvc.yaml if it is not in the root."""
    file = file_of(job)
    return name if file == "dvc.yaml" else f"{file}:{name}"


def unrecorded(state: State) -> list[Job]:
    """The jobs that are up to date by their receipts, but are not in dvc.lock or not in DVC's cache."""
    made = [job for job in state.jobs.values() if Path(job.receipt).is_file()]
    files = {file: locked(file) for file in dict.fromkeys(map(file_of, made))}
    return [
        job
        for job in made
        if not state.why(job.address) and not _recorded(files[file_of(job)].get(job.address, {}), job, state)
    ]


def _recorded(outputs: Mapping[str, str], job: Job, state: State) -> bool:
    now = {path: state.hash_of(path) for path in (*job.outputs, job.receipt)}
    return outputs == now and all(digest and cached(digest).is_file() for digest in now.values())


def record(state: State) -> None:
    """Let DVC record the jobs that are up to date and not recorded yet, never a stale one. Prints why if it cannot.

    DVC reads params and files only while it records. If they were edited meanwhile, the lock files are restored.
    """
    for file in dict.fromkeys(map(file_of, state.jobs.values())):
        mend(file)
    finished = unrecorded(state)
    if finished and Path(".dvc").is_dir():
        locks = [lock_of(file) for file in dict.fromkeys(map(file_of, finished))]
        before = [path.read_bytes() if path.is_file() else None for path in locks]
        done = _dvc("commit", "--force", "--no-relink", *targets(state, finished))
        said = reason(done.stderr) if done.returncode else ""
        if edited(state, finished):  # also if DVC failed: it may have recorded some jobs
            said = "parameters, code or data were edited meanwhile"
            for path, content in zip(locks, before, strict=True):
                write_bytes(path, content) if content is not None else path.unlink(missing_ok=True)
        if said:
            print(
                f"dvc could not record {len(finished)} finished jobs ({said}); the next run tries again",
                file=sys.stderr,
            )
    state.hash_of.save()


def reason(said: str) -> str:
    """What went wrong, from all that DVC printed: its last error, without the address of DVC's help."""
    lines = [line for line in said.strip().splitlines() if line and not line.startswith("Having any troubles?")]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["no reason given"])[-1].removeprefix("unexpected error - ")


def edited(state: State, chosen: Iterable[Job]) -> bool:
    """Whether any of these jobs was up to date in `state` and is not up to date now."""
    try:
        now = reread(state)
    except Mistakes:
        return True
    return any(job.address not in now.jobs or now.why(job.address) for job in chosen)


def reread(state: State) -> State:
    """A new state of the same profile's jobs, or of the jobs that all profiles share, with params read again.

    Raises:
        Mistakes: the params have mistakes.
    """
    made = list(state.jobs.values())
    if all(job.stage.home == DATA for job in made):
        return State(data_jobs(all_data()), state.hash_of)
    return State(jobs(Profile.read(made[-1].profile.name)), state.hash_of)


def targets(state: State, chosen: Iterable[Job]) -> list[str]:
    """Names for DVC's command line that cover these jobs and no other.

    DVC reads and writes the whole lock file for each name. So the name of a matrix stage replaces the names of all its
    jobs, if all of them are chosen.
    """
    addresses = {job.address for job in chosen}
    groups: dict[str, list[str]] = {}
    for address in state.jobs:
        groups.setdefault(address.split("@")[0], []).append(address)
    return [
        full_address(state.jobs[of[0]], name)
        for group, of in groups.items()
        for name in ([group] if addresses.issuperset(of) else filter(addresses.__contains__, of))
    ]


def _dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)
