"""The posterior of every held-out image of one auto-encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import torch

from wae import runtime
from wae.autoencoder import AutoEncoder
from wae.errors import UserError
from wae.io import read_array, read_weights, write_text
from wae.metrics.measures import unit
from wae.models import build

if TYPE_CHECKING:
    from wae.stage import Job


def run(job: Job) -> None:
    """posteriors.csv: a row an image, its label, and mean and standard deviation of each coordinate of Q(Z|X)."""
    dataset, model = job.scope["dataset"], job.scope["model"]
    compute, entry = job.profile.params["compute"], job.profile.params["models"][dataset][model]
    device = runtime.start(compute["device"], compute["threads"], "posteriors")
    network = build(job.profile.data["datasets"][dataset], entry).to(device)
    if not isinstance(network, AutoEncoder):
        raise UserError(f"{job.profile.file(job.profile.name)}: figures.posteriors: {model} is no plain auto-encoder")
    network.load_state_dict(read_weights(job.input("model.safetensors")))
    with torch.no_grad():
        x = network.output.scale(unit(read_array(job.input("test.npy")), device))
        posterior = network.reading(network.encoder(x), runtime.generator(device, "posteriors"))
    mean = posterior.mean.cpu()
    deviation = torch.zeros_like(mean) if posterior.log_variance is None else (posterior.log_variance / 2).exp().cpu()
    coordinates = range(1, mean.shape[1] + 1)
    frame = pd.DataFrame({"label": read_array(job.input("test-labels.npy"))[:, 0]})
    for name, of in (("mean", mean), ("deviation", deviation)):
        frame = frame.join(pd.DataFrame(of.numpy(), columns=[f"{name}_{index}" for index in coordinates]))
    write_text(job.output("posteriors.csv"), frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
