"""Shared code of `evaluate` and `floor`: settings, networks that compute features, and writing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from wae import runtime
from wae.io import write_arrays, write_json
from wae.metrics.evaluate import Evaluation
from wae.metrics.features.extractors import EXTRACTORS, Extractor

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def start(job: Job) -> tuple[dict[str, Any], torch.device, torch.Generator]:
    """The data set's settings, the device, and the generator of all random draws, the same for every model."""
    compute = job.profile.params["compute"]
    settings = job.profile.params["evaluation"][job.scope["dataset"]]
    device = runtime.start(compute["device"], compute["threads"], "evaluate", settings["seed"])
    return settings, device, runtime.generator(device, "evaluate", settings["seed"])


def extractors(job: Job, settings: dict[str, Any], device: torch.device) -> dict[str, Extractor]:
    """The networks that the settings name, from the files that the job has as inputs."""
    files: dict[str, Path] = {}
    for path in job.input_paths:
        if path.name == "classifier.safetensors":
            files["classifier"] = path
        elif path.parent.name == "inception":
            files["inception"] = path
    return {name: EXTRACTORS[name](files[name], device) for name in settings["features"]}


def write(job: Job, evaluation: Evaluation) -> None:
    """Write images.npz and metrics.json. Image size, crop, filter and seed are added to each protocol."""
    dataset = job.scope["dataset"]
    seed = job.profile.params["evaluation"][dataset]["seed"]
    setting = f"{prepared(job.profile.data['datasets'][dataset])}; evaluation seed {seed}"
    report = evaluation.report()
    for measure in report.values():
        if measure["protocol"]:
            measure["protocol"] += f"; {setting}"
    write_json(job.output("metrics.json"), report)
    write_arrays(job.output("images.npz"), evaluation.images)


def prepared(entry: Mapping[str, Any]) -> str:
    """How the images of a data set got their size, in words."""
    parts = [f"images of {'x'.join(map(str, entry['shape'][1:]))}"]
    if entry.get("crop"):
        parts += [f"crop {tuple(entry['crop'])} of the original"]
    parts += [f"{entry['filter']} of Pillow {version('pillow')}" if entry.get("filter") else "not resized"]
    return ", ".join(parts)
