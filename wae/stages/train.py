"""Train one model from one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wae import runtime
from wae.errors import UserError
from wae.io import read_array, write_text, write_weights
from wae.progress import Progress
from wae.training.train import train

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write model.safetensors and history.csv. A killed run resumes from its checkpoint with the same final bytes."""
    dataset, model, seed = (job.scope[axis] for axis in ("dataset", "model", "seed"))
    compute = job.profile.params["compute"]
    device = runtime.start(compute["device"], compute["threads"], "train", seed)
    with Progress(f"{dataset} {model} {seed}") as report:
        try:
            trained = train(
                job.profile.data["datasets"][dataset],
                job.profile.params["models"][dataset][model],
                read_array(job.input("train.npy")),
                seed=seed,
                device=device,
                checkpoint=job.scratch,
                software=job.software(),
                report=report,
            )
        except UserError as error:
            where = f"{job.profile.file(job.profile.name)}: models.{dataset}.{model}, seed {seed}"
            raise UserError(f"{where}: {error}") from error
        write_text(job.output("history.csv"), pd.DataFrame(trained.history).to_csv(index=False, lineterminator="\n"))
        write_weights(job.output("model.safetensors"), trained.state)
        trained.end()
