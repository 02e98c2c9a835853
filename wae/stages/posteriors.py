"""The posterior of every held-out image of one auto-encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import torch
from torch import Tensor

from wae import runtime
from wae.errors import UserError
from wae.io import read_array, read_weights, write_text
from wae.metrics.measures import unit
from wae.models.autoencoder import AutoEncoder
from wae.models.compose import build
from wae.models.game import Model, Posterior

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write posteriors.csv: per image its label, and mean and standard deviation of each coordinate of Q(Z|X)."""
    dataset, model = job.scope["dataset"], job.scope["model"]
    compute, entry = job.profile.params["compute"], job.profile.params["models"][dataset][model]
    device = runtime.start(compute["device"], compute["threads"], "posteriors")
    network = build(job.profile.data["datasets"][dataset], entry).to(device)
    network.load_state_dict(read_weights(job.input("model.safetensors")))
    posterior = _posterior(network, unit(read_array(job.input("test.npy")), device))
    if posterior is None or posterior.log_variance is None or posterior.mean.shape[1] != 2:
        where = f"{job.profile.file(job.profile.name)}: figures.posteriors shows {model!r}"
        raise UserError(f"{where}, which is no auto-encoder with Gaussian posteriors in the plane")
    frame = pd.DataFrame({"label": read_array(job.input("test-labels.npy"))[:, 0]})
    for name, of in (("mean", posterior.mean), ("deviation", (posterior.log_variance / 2).exp())):
        frame = frame.join(pd.DataFrame(of.cpu().numpy(), columns=[f"{name}_1", f"{name}_2"]))
    write_text(job.output("posteriors.csv"), frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


@torch.no_grad()
def _posterior(network: Model, x: Tensor) -> Posterior | None:
    if not isinstance(network, AutoEncoder):
        return None
    return network.reading(network.encoder(network.output.scale(x)), runtime.generator(x.device, "posteriors"))
