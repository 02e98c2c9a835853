"""The smoke profile with stages that take no time: definitions, receipts and engines are the real ones."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.project import Project, copy, descendants, short
from wae.pipeline.dag import STAGES

TARGET, PARAMS = "results/smoke/table.csv", "params/smoke/params.yaml"
FILES = ("params/smoke/dvc.yaml", "data/dvc.yaml:prepare-digits")
GAN = {
    "train-digits@wae-gan-1", "evaluate-digits@wae-gan-1", "samples-digits@wae-gan", "codes-digits@wae-gan",
    "collect", "compare-digits", "table",
}  # fmt: skip
WEIGHTS = "results/smoke/digits/wae-gan/1/model.safetensors"
LOCK = "params/smoke/dvc.lock"
RECEIPT = "results/smoke/receipts/train/digits/wae-gan/1.json"

STUB = '''"""Writes files that depend on parameters and inputs, and on nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wae.pipeline.stage import Job

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def run(job: Job) -> None:
    if job.stage.name in os.environ.get("STUB_HANGS", "").split():
        Path("scratch").mkdir(exist_ok=True)
        Path("scratch/hangs").touch()
        until = time.monotonic() + 600
        while Path("scratch/hangs").exists() and time.monotonic() < until:
            time.sleep(0.05)
    if job.stage.name in os.environ.get("STUB_FAILS", "").split():
        raise SystemExit(1)
    digest = hashlib.sha256(repr([job.command, job.slice()]).encode())
    for path in job.input_paths:
        digest.update(path.read_bytes())
    for path in job.output_paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = digest.hexdigest()
        forms = {".json": f'{{"value": "{text}"}}', ".csv": f"epoch,value\\n1,{text}\\n"}
        content = forms.get(path.suffix, text).encode()
        path.write_bytes(PIXEL + path.name.encode() if path.suffix == ".png" else content)
'''


def stubbed(to: Path) -> Project:
    """A committed copy of the project, of all profiles on embedded data only smoke, whose stages are stubs."""
    project = copy(to)
    for folder in (project.folder / "params").iterdir():
        if folder.name != "smoke":
            shutil.rmtree(folder)
    (project.folder / "wae/stages/stub.py").write_text(STUB, encoding="utf-8")
    for name in STAGES:
        text = f'"""The stage {name}, as a stub."""\n\nfrom wae.stages.stub import run as run\n'
        (project.folder / f"wae/stages/{name}.py").write_text(text, encoding="utf-8")
    project.run("wae", "dvc")
    commit(project, "stubs")
    return project


def commit(project: Project, message: str) -> None:
    identity = ("-c", "user.name=tests", "-c", "user.email=tests@example.org")
    project.run("git", "add", "--all")
    project.run("git", *identity, "commit", "--quiet", "--allow-empty", "--message", message)


def snakemake(project: Project, *targets: str, check: bool = True, **environment: str) -> None:
    project.run("snakemake", "--cores", "4", *(targets or (TARGET,)), check=check, **environment)


def repro(project: Project) -> None:
    project.run("dvc", "repro", "--quiet", "params/smoke/dvc.yaml")


def agreed(project: Project) -> set[str]:
    """What both engines would do: Snakemake's jobs, once they are found to be DVC's changed stages and what follows."""
    planned = {job.name for job in project.planned(TARGET)}
    followed = {short(name) for name in descendants(project.stages(), project.changed(*FILES))}
    assert planned == followed, f"Snakemake: {sorted(planned - followed)}, DVC: {sorted(followed - planned)}"
    return planned


def set_lr(project: Project, value: str) -> None:
    """The learning rate of wae-gan's critic, which one training alone depends on."""
    path = project.folder / PARAMS
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    found = [index for index, line in enumerate(lines) if "latent_critic:" in line]
    assert found
    for critic in found:
        index = next(at for at in range(critic, len(lines)) if lines[at].lstrip().startswith("lr:"))
        lines[index] = f"          lr: {value}\n"
    path.write_text("".join(lines), encoding="utf-8")


def cloned(project: Project, tmp_path: Path) -> Project:
    """A clone of the last commit, and a remote that holds what is recorded."""
    remote = str(tmp_path / "remote")
    project.run("dvc", "remote", "modify", "--local", "storage", "url", remote)
    project.run("dvc", "push", "--quiet", *FILES)
    commit(project, "recorded")
    project.run("git", "clone", "--quiet", str(project.folder), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.run("dvc", "remote", "modify", "--local", "storage", "url", remote)
    return clone
