"""Small parameter entries of every model, for laws that all of them must pass."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import torch

from wae.run import Run
from wae.train import Trained, train

torch.set_num_threads(1)  # sums change with their number, and tests run side by side

DATASET = {"kind": "digits", "shape": [1, 8, 8], "labels": False}
SCHEDULE = {"kind": "steps", "at": [0.5], "factors": [0.1]}
CONV = {"kind": "conv", "latent": 3, "filters": [8, 16], "kernel": 4, "width": 0.5, "output": "sigmoid"}


def adam(lr: float = 1e-3) -> dict[str, Any]:
    return {"kind": "adam", "lr": lr, "betas": [0.5, 0.999], "schedule": SCHEDULE}


AUTOENCODER = {
    "kind": "autoencoder",
    "network": CONV,
    "posterior": {"kind": "deterministic"},
    "cost": {"kind": "l2sq", "factor": 0.05},
    "prior": {"kind": "gaussian", "variance": 1.0},
    "weight": 10.0,
    "noise": 0.01,
    "pretraining": {"steps": 3, "sample": 20, "tolerance": 1e-6},
    "epochs": 2,
    "batch": 10,
}
MODELS: dict[str, dict[str, Any]] = {
    "vae": {
        **AUTOENCODER,
        "posterior": {"kind": "gaussian"},
        "cost": {"kind": "bernoulli"},
        "penalty": {"kind": "kl"},
        "weight": 1.0,
        "noise": 0.0,
        "pretraining": None,
        "optimisers": {"autoencoder": adam()},
    },
    "wae-mmd": {
        **AUTOENCODER,
        "penalty": {"kind": "mmd", "kernel": "imq", "scales": [0.1, 0.2, 0.5, 1, 2, 5, 10]},
        "optimisers": {"autoencoder": adam()},
    },
    "wae-gan": {
        **AUTOENCODER,
        "penalty": {"kind": "adversarial", "layers": 2, "units": 16, "rounds": 2},
        "optimisers": {"autoencoder": adam(), "latent_critic": adam(5e-4)},
    },
}


def entry(model: str, **changes: Any) -> dict[str, Any]:
    return deepcopy({**MODELS[model], **changes})


def images(n: int = 45, shape: tuple[int, ...] = (1, 8, 8)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)


def trained(name: str, data: np.ndarray | None = None, **kwargs: Any) -> Trained:
    return train(DATASET, entry(name), images() if data is None else data, seed=1, device="cpu", **kwargs)


def run(name: str, **changes: Any) -> Run:
    return Run(DATASET, entry(name, **changes), images(), seed=1, device="cpu")


def equal(one: Trained, other: Trained) -> bool:
    same = [torch.equal(one.state[key], other.state[key]) for key in one.state | other.state]
    return all(same) and one.history == other.history
