"""A run under way: it has come to a training, where it can be edited beside or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from support.project import Project
from support.stubs import FILES, TARGET

MARK = "scratch/hangs"
RUNS = {"snakemake": ("snakemake", "--cores", "2", TARGET), "dvc": ("dvc", "repro", FILES[0])}


@contextmanager
def training(project: Project, engine: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run that has come to a training, which goes on when MARK is gone; killed at the end, with all it started."""
    process = subprocess.Popen(
        RUNS[engine], cwd=project.folder, env=project.environment(STUB_HANGS="train"), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    mark = project.folder / MARK
    try:
        while not mark.exists():
            assert process.poll() is None, "it ended without a training"
            time.sleep(0.05)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        mark.unlink(missing_ok=True)


def killed(project: Project) -> None:
    """Snakemake killed in a training."""
    with training(project, "snakemake"):
        pass
    project.run("snakemake", "--unlock", TARGET)
