"""A copy of the project in a temporary folder, with its own code, and what both engines say about it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .+\n)+)(?:Shell command: (.+)\n)?", re.MULTILINE)
FIELD = re.compile(r"^    (\w+): (.+)$", re.MULTILINE)
AXES = ("figure", "dataset", "model", "seed")


def copy(to: Path) -> Project:
    """The files that git tracks, or would, under `to`, as a repository of its own; not what runs here have recorded."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.endswith("dvc.lock"):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    project = Project(to)
    project.run("git", "init", "--quiet")
    return project


@dataclass(frozen=True)
class SnakemakeJob:
    """A job as `snakemake -n` prints it."""

    name: str
    inputs: frozenset[str]
    outputs: frozenset[str]
    command: str


@dataclass(frozen=True)
class Project:
    """A copy of the project."""

    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("WAE_", "DVC_", "SNAKEMAKE_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PYTHONPATH": str(self.folder), "PATH": path, **more}

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment(**environment),
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the first `old` in a file."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def planned(self, target: str, *options: str) -> list[SnakemakeJob]:
        """The jobs that Snakemake would run, targets aside; files that only say why are not among their inputs."""
        text = self.run("snakemake", "-n", "--printshellcmds", *options, target).stdout
        return [_snakemake_job(*match.groups()) for match in JOB.finditer(text)]

    def stages(self) -> dict[str, dict[str, frozenset[str] | str]]:
        """DVC's stages: address -> command, inputs that are no code, outputs."""
        script = (
            "import json; from dvc.repo import Repo; "
            "print(json.dumps({s.addressing: [s.cmd, [d.def_path for d in s.deps], [o.def_path for o in s.outs], "
            "s.wdir] for s in Repo().index.stages}))"
        )
        found = json.loads(self.run(sys.executable, "-c", script).stdout.splitlines()[-1])
        return {
            address: {"command": cmd, "inputs": self._files(deps, wdir), "outputs": self._files(outs, wdir)}
            for address, (cmd, deps, outs, wdir) in found.items()
        }

    def _files(self, paths: list[str], wdir: str) -> frozenset[str]:
        relative = {os.path.relpath(Path(wdir) / path, self.folder.resolve()) for path in paths}
        return frozenset(path for path in relative if not path.endswith(".py") and path != "uv.lock")

    def changed(self, *files: str) -> set[str]:
        """The stages that `dvc status` calls changed."""
        return set(json.loads(self.run("dvc", "status", "--json", *files).stdout))


def _snakemake_job(rule: str, body: str, command: str | None) -> SnakemakeJob:
    fields = dict(FIELD.findall(body))
    wildcards = dict(part.split("=", 1) for part in fields.get("wildcards", "").split(", ") if part)
    first, *rest = [wildcards[axis] for axis in AXES if axis in wildcards] or [""]
    name = "-".join(filter(None, [rule.replace("_", "-", 1), first])) + ("@" + "-".join(rest) if rest else "")
    listed = [filter(None, fields.get(key, "").split(", ")) for key in ("input", "output")]
    files = [frozenset(path for path in of if not path.startswith(".wae/")) for of in listed]
    return SnakemakeJob(name, files[0], files[1], (command or "").split(" > ")[0])


def short(address: str) -> str:
    """`params/demo/dvc.yaml:table` -> `table`."""
    return address.split(":")[-1]


def descendants(stages: dict[str, dict[str, frozenset[str] | str]], changed: set[str]) -> set[str]:
    """`changed` and every stage that reads, by any path, what one of them writes."""
    found = set(changed)
    while True:
        written = frozenset().union(*(stages[address]["outputs"] for address in found))
        more = {address for address, stage in stages.items() if written & stage["inputs"]} | found
        if more == found:
            return found
        found = more
