"""Train the data set's classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from wae import runtime
from wae.io import read_array, sha256, write_json
from wae.metrics.features.classifier import accuracy, fit, save
from wae.training.divergence import finite

if TYPE_CHECKING:
    from wae.pipeline.stage import Job

SOME = 100  # held-out images whose features must be finite


def run(job: Job) -> None:
    """Write classifier.safetensors, and classifier.json with the held-out accuracy of each label column."""
    compute = job.profile.params["compute"]
    settings = job.profile.params["evaluation"][job.scope["dataset"]]["classifier"]
    device = runtime.start(compute["device"], compute["threads"], "classifier", settings["seed"])
    train, train_labels, test, test_labels = (read_array(path) for path in job.input_paths)
    network = fit(train, train_labels, settings, device)
    some = network.features(torch.from_numpy(np.array(test[:SOME])).to(device))
    finite({"the mean feature of held-out images": some.double().mean().item()}, "the classifier after its last step")
    weights = job.output("classifier.safetensors")
    save(weights, network)
    report = {"accuracy": accuracy(network, test, test_labels), "n_test": len(test), "sha256": sha256(weights)}
    write_json(job.output("classifier.json"), report)
