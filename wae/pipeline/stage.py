"""Stages and jobs.

Paths and commands are templates. Formatted with wildcards, a template belongs to a Snakemake rule; with `${item.seed}`,
to a matrix stage of DVC; with values, to a job.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from wae.config.yaml import canonical
from wae.pipeline.code import closure, syntax
from wae.pipeline.profile import Profile

LOCK = "uv.lock"  # the environment's lock file: every job depends on it
DATA = "data"

Scope = Mapping[str, Any]
"""Values for a template's fields: `results`, `option`, and the stage's axes."""


@dataclass(frozen=True)
class Out:
    """An output.

    Args:
        shown: its list in dvc.yaml: outs or metrics.
        real: whether it holds real images; some licences do not allow them on a remote.
        caption: the file under workflow/report that explains it in Snakemake's report.
    """

    path: str
    shown: str = "outs"
    real: bool = False
    caption: str = ""


Paths = Callable[[Profile, Scope], list[str]]
Outs = Callable[[Profile, Scope], list[Out]]


def templates(*outs: Out) -> Outs:
    """Outputs with the same templates for every data set."""

    def fill(profile: Profile, scope: Scope) -> list[Out]:
        return [replace(out, path=out.path.format(**scope)) for out in outs]

    return fill


@dataclass(frozen=True)
class Resources:
    """The resources that a job of a stage needs, for schedulers.

    Args:
        minutes: the longest time that it may run.
        memory_mb: MiB; a job that imports torch takes the profile's `compute.memory_mb` instead.
        torch: whether it imports torch, and so takes the profile's threads and memory.
        gpu: whether it runs on the profile's device.
    """

    minutes: int = 10
    memory_mb: int = 1000
    torch: bool = False
    gpu: bool = False


@dataclass(frozen=True)
class Stage:
    """One kind of job.

    `run(job)` in `wae.stages.<name>` does the work. The code is the import closure of that module and of `modules`.

    Args:
        summary: one line of help.
        over: its axes, with one job per combination: (), (source,), (figure,), or (dataset, ...) with model and seed.
        deps: its input files, without code.
        params: templates of the parameter keys it reads.
        modules: templates of modules that it imports by name; a job depends only on the module that it runs.
        resources: the resources that one of its jobs needs.
        wanted: whether it exists for a data set and, if it has the axis model, for a model.
        home: the default profile of its command; `data` for a stage that all profiles share.
    """

    name: str
    summary: str
    deps: Paths
    outs: Outs
    over: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    resources: Resources = Resources()
    wanted: Callable[[Profile, str, str], bool] = lambda profile, dataset, model: True
    home: str = ""

    def command(self, scope: Scope) -> str:
        """The command line of a job, which both engines run and anyone can type."""
        option = "" if self.home == DATA else scope["option"]
        return " ".join(["wae", self.name, *(str(scope[axis]) for axis in self.over)]) + option

    def threads(self, profile: Profile) -> int:
        """How many threads a job of a profile takes. Their number changes the results of sums."""
        return int(profile.params["compute"]["threads"]) if self.resources.torch else 1

    def memory_mb(self, profile: Profile) -> int:
        """How much memory a job of a profile may need, in MiB."""
        return int(profile.params["compute"]["memory_mb"]) if self.resources.torch else self.resources.memory_mb

    def gpus(self, profile: Profile) -> int:
        """How many GPUs a job of a profile takes."""
        return int(self.resources.gpu and profile.params["compute"]["device"] != "cpu")

    def code(self, scope: Scope) -> tuple[str, ...]:
        """Source files whose change makes its outputs stale."""
        return closure(f"wae.stages.{self.name}", *(module.format(**scope) for module in self.modules))

    def folder(self, scope: Scope) -> str:
        """The folder of its outputs: the profile's results, or data/ for a stage that all profiles share."""
        return DATA if self.home == DATA else str(scope["results"])

    def receipt(self, scope: Scope) -> str:
        """The path of a job's receipt, which says what its outputs were made from."""
        return (
            "/".join([self.folder(scope), "receipts", self.name, *(str(scope[axis]) for axis in self.over)]) + ".json"
        )

    def written(self, profile: Profile, scope: Scope) -> list[Out]:
        """All files that a job writes: its outputs and its receipt."""
        return [*self.outs(profile, scope), Out(self.receipt(scope))]

    def scopes(self, profile: Profile) -> Iterator[dict[str, Any]]:
        """The scopes of its jobs: every combination of its axes' values, in the order of params."""
        match self.over:
            case ():
                yield profile.scope()
            case ("source",):
                yield from (profile.scope(source=source) for source in profile.sources())
            case ("figure",):
                yield from (profile.scope(figure=figure) for figure in profile.figures())
            case ("dataset", *axes):
                for dataset in profile.params["grid"]:
                    values = self.values(profile, dataset)
                    if "model" not in axes and not self.wanted(profile, dataset, ""):
                        continue
                    for combination in product(*(values[axis] for axis in axes)):
                        yield profile.scope(dataset=dataset, **dict(zip(axes, combination, strict=True)))

    def values(self, profile: Profile, dataset: str) -> dict[str, list[Any]]:
        """The values of its axes for a data set: the models that have this stage, and the seeds."""
        models = [name for name in profile.params["grid"].get(dataset, []) if self.wanted(profile, dataset, name)]
        return {"model": models, "seed": profile.params["seeds"]}

    def address(self, scope: Scope) -> str:
        """The name of a job in DVC: the stage and the data set, then `@` and the matrix values, model and seed."""
        first, *rest = [str(scope[axis]) for axis in self.over] or [""]
        return "-".join(filter(None, [self.name, first])) + ("@" + "-".join(rest) if rest else "")


@dataclass(frozen=True)
class Job:
    """A stage with values for its axes."""

    stage: Stage
    profile: Profile
    scope: Scope

    @property
    def address(self) -> str:
        """Its name in DVC, e.g. `train-mnist@vae-1`."""
        return self.stage.address(self.scope)

    @property
    def command(self) -> str:
        """The command line that Snakemake and DVC run."""
        return self.stage.command(self.scope)

    @property
    def inputs(self) -> list[str]:
        """The files it reads, without code."""
        return self.stage.deps(self.profile, self.scope)

    @property
    def outputs(self) -> list[str]:
        """The files it writes."""
        return [out.path for out in self.stage.outs(self.profile, self.scope)]

    @property
    def output_paths(self) -> list[Path]:
        """The files it writes, as paths."""
        return [Path(path) for path in self.outputs]

    @property
    def input_paths(self) -> list[Path]:
        """The files it reads, as paths."""
        return [Path(path) for path in self.inputs]

    def output(self, name: str) -> Path:
        """The output called `name`."""
        return next(path for path in self.output_paths if path.name == name)

    def input(self, name: str) -> Path:
        """The first input called `name`."""
        return next(path for path in self.input_paths if path.name == name)

    @property
    def code(self) -> tuple[str, ...]:
        """The source files that it runs."""
        return self.stage.code(self.scope)

    @property
    def receipt(self) -> str:
        """The path of its receipt, which says what its outputs were made from."""
        return self.stage.receipt(self.scope)

    def slice(self) -> dict[str, Any]:
        """The values of the parameter keys it reads."""
        keys = (key.format(**self.scope) for key in self.stage.params)
        return {key: canonical(self.profile.lookup(key)) for key in keys}

    @property
    def scratch(self) -> Path:
        """The folder of what it keeps until it has ended, beside nothing that an engine deletes."""
        return Path("scratch", self.stage.name, self.output_paths[0].parent)

    def software(self) -> dict[str, Any]:
        """The syntax trees of its source files and the environment's lock file, as checksums.

        A change of a comment or of layout is none, as for receipts.
        """
        code = {path: syntax(path) for path in self.code}
        return {"code": code, LOCK: hashlib.md5(Path(LOCK).read_bytes()).hexdigest()}
