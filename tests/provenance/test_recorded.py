"""Which jobs DVC is to be told of: up to date with all before them, and not whole in dvc.lock and the cache yet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.alone import folder as folder
from support.alone import grown, run

from wae.pipeline.dag import jobs
from wae.pipeline.profile import Profile
from wae.pipeline.stage import Job
from wae.provenance.lock import reason, unrecorded
from wae.provenance.lockfile import cached, file_of, lock_of
from wae.provenance.receipt import Hashes, md5
from wae.provenance.state import State

CHAIN = ("prepare-digits", "train-digits@wae-gan-1")
ANOTHER = "0" * 32
pytestmark = pytest.mark.usefixtures("folder")


def state() -> State:
    return State(jobs(Profile.read("smoke")), Hashes())


def asked() -> list[str]:
    """The addresses of the jobs that DVC is to be told of."""
    return [job.address for job in unrecorded(state())]


@pytest.fixture
def chain(folder: Path) -> list[Job]:
    """Two jobs that have run, of which one reads what the other writes."""
    Path(".dvc/cache").mkdir(parents=True)
    chosen = [state().jobs[name] for name in CHAIN]
    for job in chosen:
        run(job)
    return chosen


def commit(*chosen: Job) -> None:
    """What `dvc commit` writes of jobs, of which each has its dvc.yaml for itself here."""
    for job in chosen:
        outs = [{"path": path, "md5": md5(Path(path))} for path in (*job.outputs, job.receipt)]
        lock = lock_of(file_of(job))
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.write_text(json.dumps({"stages": {job.address: {"cmd": job.command, "outs": outs}}}), encoding="utf-8")
        for out in outs:
            at = cached(out["md5"])
            at.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(out["path"], at)


def test_what_follows_a_stale_job_is_not_recorded(chain: list[Job]) -> None:
    assert asked() == list(CHAIN)
    prepared = next(path for path in chain[0].outputs if path not in chain[1].inputs)
    grown(Path(prepared), "x")
    now = state()
    assert [bool(now.own(name)) for name in CHAIN] == [True, False]
    assert asked() == []


def test_what_comes_before_a_stale_job_is_recorded(chain: list[Job]) -> None:
    grown(Path(chain[1].outputs[0]), "x")
    assert asked() == [CHAIN[0]]


def output(job: Job) -> str:
    return str(job.outputs[0])


def receipt(job: Job) -> str:
    return str(job.receipt)


@pytest.mark.parametrize("of", [output, receipt])
@pytest.mark.parametrize("lacks", ["lock", "entry", "cache"])
def test_it_is_recorded_where_lock_and_cache_have_outputs_and_receipt(
    chain: list[Job], of: Callable[[Job], str], lacks: str
) -> None:
    job = chain[1]
    commit(job)
    assert asked() == [CHAIN[0]]
    lock, digest = lock_of(file_of(job)), md5(Path(of(job)))
    if lacks == "lock":
        lock.write_text(lock.read_text(encoding="utf-8").replace(digest, ANOTHER), encoding="utf-8")
        cached(ANOTHER).parent.mkdir()
        cached(ANOTHER).touch()
    elif lacks == "entry":
        content = json.loads(lock.read_text(encoding="utf-8"))
        outs = content["stages"][job.address]["outs"]
        outs.remove({"path": of(job), "md5": digest})
        lock.write_text(json.dumps(content), encoding="utf-8")
    else:
        cached(digest).unlink()
    assert asked() == list(CHAIN)


# ---- why it could not -------------------------------------------------------

HELP = "\n\nHaving any troubles? Hit us up at https://dvc.org/support, we are always happy to help!\n"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "ERROR: unexpected error - [Errno 28] No space left on device: 'x'" + HELP,
            "[Errno 28] No space left on device: 'x'",
        ),
        ("ERROR: failed to commit - Unable to acquire lock.\n", "failed to commit - Unable to acquire lock."),
        ("'./dvc.yaml' validation failed.\n\nextra keys not allowed, in x\n", "extra keys not allowed, in x"),
        ("", "no reason given"),
    ],
)
def test_the_reason_is_dvc_s_error_and_not_its_help(said: str, words: str) -> None:
    assert reason(said) == words
