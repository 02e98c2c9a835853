"""Damage real images by known amounts and measure their distance from undamaged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wae.figures.corruption import corruption
from wae.io import read_array, write_text
from wae.metrics.corruption import corruption_curves
from wae.metrics.draws import drawn
from wae.stages import measure

if TYPE_CHECKING:
    from wae.pipeline.stage import Job


def run(job: Job) -> None:
    """Write corruption.csv and corruption.png: fd_classifier of training images with more and more damage."""
    settings, device, _ = measure.start(job)
    arrays = {path.stem: read_array(path) for path in job.input_paths if path.suffix == ".npy"}
    rng = np.random.default_rng(settings["seed"])
    n = min(settings["samples"], len(arrays["train"]))
    rows = rng.choice(len(arrays["train"]), n, replace=False)
    extractor = measure.extractors(job, {**settings, "features": ["classifier"]}, device)["classifier"]
    images, labels = arrays["train"][rows], arrays["train-labels"][rows]
    reference = drawn(arrays["test"], settings["samples"], settings["seed"], "evaluation.samples")
    curves = corruption_curves(images, labels, reference, extractor, settings["seed"])
    table = pd.DataFrame(curves, columns=["corruption", "level", "fd_classifier"])
    written = job.output("corruption.csv")
    write_text(written, table.to_csv(index=False, lineterminator="\n"))
    corruption(written, job.output("corruption.png"), title=f"Damaged {job.scope['dataset']}")
