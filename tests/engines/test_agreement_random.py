"""Thirty steps drawn at random, each kind of them at least once, after each of which both engines say the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from support.project import Project
from support.stubs import FILES, PARAMS, TARGET, WEIGHTS, agreed, cloned, commit, repro, set_lr, snakemake
from support.under_way import killed

METRICS = "results/smoke/metrics.csv"
STAGES = ("train", "evaluate", "table")


class Play:
    """A project and a seeded hand that does things to it; `steps` are what it can do."""

    def __init__(self, project: Project, folder: Path, seed: int) -> None:
        self.project, self.folder, self.draw, self.clones = project, folder, random.Random(seed), 0
        self.steps: list[Callable[[], None]] = [
            self.edit, self.comment, self.code, self.environment, self.seed, self.model, self.accept,
            self.all_by_snakemake, self.all_by_dvc, self.part, self.fail, self.kill,
            self.delete, self.touch, self.spoil, self.keep, self.back, self.clone,
        ]  # fmt: skip

    def append(self, path: str, text: str) -> None:
        with (self.project.folder / path).open("a", encoding="utf-8") as file:
            file.write(text)

    def toggle(self, one: str, other: str) -> None:
        there = one in (self.project.folder / PARAMS).read_text(encoding="utf-8")
        self.project.edit(PARAMS, *((one, other) if there else (other, one)))
        self.project.run("wae", "dvc")

    # ---- edits ----

    def edit(self) -> None:
        set_lr(self.project, self.draw.choice(["0.0005", "0.0006", "0.0007"]))

    def comment(self) -> None:
        self.append(f"wae/stages/{self.draw.choice(STAGES)}.py", "# more\n")

    def code(self) -> None:
        self.append(f"wae/stages/{self.draw.choice(STAGES)}.py", f"NUMBER = {self.draw.randrange(1000)}\n")

    def environment(self) -> None:
        self.append("uv.lock", "# another\n")

    def seed(self) -> None:
        self.toggle("seeds: [1]", "seeds: [1, 2]")

    def model(self) -> None:
        self.toggle("[wae-mmd, wae-gan]", "[wae-mmd]")

    def accept(self) -> None:
        self.project.run("wae", "accept")

    # ---- runs ----

    def all_by_snakemake(self) -> None:
        snakemake(self.project)

    def all_by_dvc(self) -> None:
        repro(self.project)

    def part(self) -> None:
        snakemake(self.project, self.draw.choice([METRICS, "results/smoke/digits/classifier.json"]))

    def fail(self) -> None:
        snakemake(self.project, check=False, STUB_FAILS=self.draw.choice(["train", "evaluate", "collect"]))

    def kill(self) -> None:
        self.edit()
        self.append("wae/stages/train.py", f"KILLED = {self.draw.randrange(1000)}\n")  # so that there is a training
        killed(self.project)

    # ---- accidents ----

    def delete(self) -> None:
        (self.project.folder / self.draw.choice([WEIGHTS, METRICS, TARGET])).unlink(missing_ok=True)

    def touch(self) -> None:
        path = self.project.folder / "data/digits/train.npy"
        if path.exists():
            path.touch()

    def spoil(self) -> None:
        path = self.project.folder / self.draw.choice([METRICS, "data/digits/train.npy"])
        if path.exists():
            path.write_text("spoilt", encoding="utf-8")

    # ---- history ----

    def keep(self) -> None:
        commit(self.project, "kept")

    def back(self) -> None:
        commit(self.project, "here")
        self.project.run("git", "checkout", "--quiet", "HEAD~1")
        self.project.run("dvc", "checkout", "--quiet", "--force", *FILES, check=False)

    def clone(self) -> None:
        self.clones += 1
        place = self.folder / f"clone-{self.clones}"
        place.mkdir()
        self.project = cloned(self.project, place)
        self.project.run("dvc", "pull", "--quiet", *FILES, check=False)  # of what is stale there may be no copy


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [20, 21])
def test_thirty_random_steps(project: Project, tmp_path: Path, seed: int) -> None:
    """Each kind of step once, in a random order, and then any; the sets are compared after each."""
    play, log = Play(project, tmp_path, seed), []
    drawn = play.draw.sample(play.steps, len(play.steps)) + play.draw.choices(play.steps, k=30 - len(play.steps))
    for step in drawn:
        log.append(step.__name__)
        try:
            step()
            agreed(play.project)
        except (AssertionError, FileNotFoundError) as error:
            raise AssertionError(f"after {', '.join(log)}: {error}") from error
