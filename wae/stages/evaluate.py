"""Measure one trained model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wae.io import read_array, read_weights
from wae.metrics.evaluate import evaluate
from wae.models.compose import build
from wae.stages import measure

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write metrics.json, every number with its protocol, and images.npz, the images for the figures."""
    settings, device, generator = measure.start(job)
    dataset, model = job.scope["dataset"], job.scope["model"]
    network = build(job.profile.data["datasets"][dataset], job.profile.params["models"][dataset][model])
    network.load_state_dict(read_weights(job.input("model.safetensors")))
    features = measure.extractors(job, settings, device)
    train, test = read_array(job.input("train.npy")), read_array(job.input("test.npy"))
    measured = evaluate(network.to(device), train, test, features, settings, device=device, generator=generator)
    measure.write(job, measured)
