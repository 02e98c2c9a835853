"""dvc.yaml, rendered from the table of stages."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from wae.config.check import load_data
from wae.config.fit import drawn
from wae.pipeline.dag import STAGES
from wae.pipeline.files import RUN
from wae.pipeline.profile import DATA_DVC, DATA_PARAMS, Profile, in_data
from wae.pipeline.stage import DATA, LOCK, Stage

DATA_STAGES = tuple(name for name, stage in STAGES.items() if stage.home == DATA)
HEADER = "# Rendered from {params} by `{command}`: edit that, not this.\n"


def everything(data: Mapping[str, Any]) -> Profile:
    """A profile with every data set and every source of data/params.yaml, for the data stages only."""
    grid: dict[str, list[str]] = {dataset: [] for dataset in data["datasets"]}
    evaluation = {dataset: {"features": ["inception"]} for dataset in grid}
    return Profile("", {"grid": grid, "evaluation": evaluation, "seeds": []}, data)


def all_data() -> Profile:
    """The profile of `everything`, read from data/params.yaml."""
    return everything(load_data(Path(DATA_PARAMS)))


def dvc_data(data: Mapping[str, Any]) -> str:
    """The content of data/dvc.yaml."""
    stages = [STAGES[name] for name in DATA_STAGES]
    header = HEADER.format(params=DATA_PARAMS, command="wae dvc")
    return header + _dump({"stages": _stages(stages, everything(data), DATA_DVC)})


def dvc_profile(profile: Profile) -> str:
    """The content of a profile's dvc.yaml."""
    stages = [stage for name, stage in STAGES.items() if name not in DATA_STAGES]
    header = HEADER.format(params=Profile.file(profile.name), command="wae dvc")
    plots = [{title: {"x": "epoch", "y": files}} for title, files in _plots(profile)]
    return header + _dump({"stages": _stages(stages, profile, profile.dvc), "plots": plots})


def rendered(profile: Profile) -> dict[Path, str]:
    """Path -> right content, for each dvc.yaml that a profile needs."""
    return {Path(DATA_DVC): dvc_data(profile.data), Path(profile.dvc): dvc_profile(profile)}


def stale(profile: Profile) -> list[str]:
    """One sentence for each dvc.yaml that does not fit the params any more."""
    why = f"does not fit {Profile.file(profile.name)}: the grid, or the code's imports, changed since it was rendered"
    return [
        f"{path} {why}; run `wae dvc`"
        for path, content in rendered(profile).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != content
    ]


def _stages(stages: list[Stage], profile: Profile, file: str) -> dict[str, Any]:
    up = os.path.relpath(".", Path(file).parent)
    return {
        name: {"wdir": up, **definition} if up != "." else definition
        for stage in stages
        for name, definition in _definitions(stage, profile)
    }


def _plots(profile: Profile) -> Iterator[tuple[str, dict[str, str]]]:
    """The title of each plot of `dvc plots`, and the column that it draws of each file: a term of a model's loss."""
    up = os.path.relpath(".", Path(profile.dvc).parent)
    for dataset, models in profile.params["grid"].items():
        for model in models:
            runs = [profile.scope(dataset=dataset, model=model, seed=seed) for seed in profile.params["seeds"]]
            files = [os.path.normpath(f"{up}/{RUN.format(**scope)}history.csv") for scope in runs]
            for term in drawn(profile.params["models"][dataset][model]):
                yield f"{profile.name} {dataset} {model} {term}".strip(), dict.fromkeys(files, term)


def _definitions(stage: Stage, profile: Profile) -> Iterator[tuple[str, dict[str, Any]]]:
    """One definition for each value of the first axis; the other axes become the matrix."""
    matrix_axes = stage.over[1:]
    first = {
        stage.address({**scope, **dict.fromkeys(matrix_axes, "")}).split("@")[0]: scope
        for scope in stage.scopes(profile)
    }
    for name, scope in first.items():
        matrix = {axis: stage.values(profile, scope["dataset"])[axis] for axis in matrix_axes}
        template = {**scope, **{axis: f"${{item.{axis}}}" for axis in matrix_axes}}
        yield name, {**({"matrix": matrix} if matrix else {}), **_definition(stage, profile, template)}


def _definition(stage: Stage, profile: Profile, scope: Mapping[str, Any]) -> dict[str, Any]:
    keys = [key.format(**scope) for key in stage.params]
    files = {
        Profile.file(profile.name): [key for key in keys if not in_data(key)],
        DATA_PARAMS: [key for key in keys if in_data(key)],
    }
    outs: dict[str, list[Any]] = {}
    for out in stage.written(profile, scope):
        kept = out.real and not profile.may_leave(scope)
        options: dict[str, Any] = {"push": False} if kept else {}
        outs.setdefault(out.shown, []).append({out.path: options} if options else out.path)
    params = [{file: chosen} for file, chosen in files.items() if chosen]
    return {
        "cmd": stage.command(scope),
        "deps": [*stage.deps(profile, scope), *stage.code(scope), LOCK],
        **({"params": params} if params else {}),
        **outs,
    }


def _dump(content: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.representer.ignore_aliases = lambda data: True
    yaml.width = 1000
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()
