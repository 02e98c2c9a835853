"""Every model of the family made small, for laws that all of them must pass."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import torch

from support.project import ROOT
from wae.config.yaml import Document
from wae.training.run import Run
from wae.training.train import Trained, train

torch.set_num_threads(1)  # sums change with their number, and tests run side by side

SETTINGS = {
    "samples": 40,
    "batch": 16,
    "seed": 1,
    "pictures": {"samples": 9, "reconstructions": 5, "rows": 3, "steps": 4},
    "mixture": {"components": 3, "images": 30},
}
DATASET = {"kind": "digits", "shape": [1, 8, 8], "labels": False}
SCHEDULE = {"kind": "steps", "at": [0.5], "factors": [0.1]}


SMALL = {
    **{"latent": 3, "filters": [8, 16], "width": 0.5, "layers": 2, "units": 16, "rounds": 2},
    **{"directions": 5, "ascent": 3, "epochs": 2, "batch": 10, "schedule": SCHEDULE},
    "pretraining": {"steps": 3, "sample": 20, "tolerance": 1e-6},
}


def adam(lr: float = 1e-3) -> dict[str, Any]:
    return {"kind": "adam", "lr": lr, "betas": [0.5, 0.999], "schedule": SCHEDULE}


def small(node: Any) -> Any:
    """An entry with everything that makes it slow made small; null stays null."""
    if not isinstance(node, dict):
        return node
    return {key: SMALL[key] if key in SMALL and value is not None else small(value) for key, value in node.items()}


# A model that is added to the family's parameters is tested from then on.
FAMILY = Document(ROOT / "params" / "family" / "params.yaml").content["models"]["digits"]
MODELS: dict[str, dict[str, Any]] = {name: small(options) for name, options in FAMILY.items()}
AUTOENCODERS = [name for name, options in MODELS.items() if options["kind"] == "autoencoder"]


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
