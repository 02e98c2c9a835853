"""Evaluation after few rounds: the running moments of `BatchNorm` beside torch's, which start at mean 0, variance 1.

    python bench/rounds.py [--epochs 1 3 5 10] [--profile smoke] [--models vae wae-mmd gan]

Models of the smoke profile's width on the embedded digits, batches of 100, so 14 rounds an epoch. The trained weights
are the same bit for bit; only the running moments differ. Of a GAN the number is the mean standard deviation of pixels.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from wae.data.digits import prepare
from wae.models import nets
from wae.models.batchnorm import BatchNorm
from wae.models.game import Model
from wae.pipeline.profile import Profile
from wae.training.run import Run

DIGITS = {"shape": [1, 28, 28], "train": 1437}
GAN = {
    "kind": "gan",
    "objective": {"kind": "cross-entropy", "rounds": 1},
    "optimisers": {
        player: {"kind": "adam", "lr": lr, "betas": [0.5, 0.999], "schedule": {"kind": "constant"}}
        for player, lr in (("generator", 0.001), ("critic", 0.0005))
    },
}


class Torchs(_BatchNorm):
    """Batch norm with torch's running moments, of inputs with two or four dimensions."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


def trained(entry: dict[str, Any], images: np.ndarray, norm: type[_BatchNorm]) -> Model:
    nets.BatchNorm = norm
    run = Run(DIGITS, {**entry, "batch": 100}, images, seed=1, device="cpu")
    while not run.done:
        run.advance()
    return run.model


@torch.no_grad()
def quality(model: Model, x: Tensor) -> float:
    generator = torch.Generator().manual_seed(1)
    if hasattr(model, "encode"):
        return float((model.decode(model.encode(x)) - x).square().mean())
    return float(model.generate(len(x), generator).std(0).mean())


def moments(model: Model, other: Model) -> float:
    """The largest relative difference of two models' running variances; their trained weights must be equal."""
    state, theirs = model.state_dict(), other.state_dict()
    same = [torch.equal(theirs[name], value) for name, value in state.items() if "running" not in name]
    assert all(same)
    ratios = [(theirs[name] / value - 1).abs().max() for name, value in state.items() if name.endswith("running_var")]
    return float(torch.stack(ratios).max())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 3, 5, 10])
    parser.add_argument("--models", nargs="+", default=["vae", "wae-mmd", "gan"])
    parser.add_argument("--profile", default="smoke")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        prepare(DIGITS, Path(), Path(folder), 1)
        images, test = (np.load(Path(folder) / f"{split}.npy") for split in ("train", "test"))
    entries = Profile.read(wanted.profile).params["models"]["digits"]
    entries = {"gan": {**GAN, **{key: entries["vae"][key] for key in ("network", "prior")}}, **entries}
    print("| model | rounds | by batch moments | torch's | ours | running variances, torch's / ours - 1 |")
    print("|---|---|---|---|---|---|")
    x = torch.tensor(test) / 255
    for name in wanted.models:
        for epochs in wanted.epochs:
            ours, torchs = (trained({**entries[name], "epochs": epochs}, images, norm) for norm in (BatchNorm, Torchs))
            changed = moments(ours, torchs)
            values = [quality(of.eval(), x) for of in (torchs, ours)]
            row = [f"{value:.4f}" for value in (quality(ours.train(), x), *values)]
            print(f"| {name} | {14 * epochs} |", " | ".join(row), f"| {changed:.1e} |", flush=True)
