"""Parameter counts of a parameter entry, without allocating its networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support.entries import DATASET, MODELS, entry, images
from support.project import ROOT

from wae.config.yaml import Document
from wae.errors import UserError
from wae.models.compose import build
from wae.models.trial import sizes
from wae.training.train import train


@pytest.mark.parametrize("name", MODELS)
def test_the_sizes_are_those_of_the_built_model(name: str) -> None:
    model = build(DATASET, entry(name), torch.Generator().manual_seed(0))
    assert sum(sizes(DATASET, entry(name)).values()) == sum(weight.numel() for weight in model.parameters())
    assert list(sizes(DATASET, entry(name)))[: len(model.networks())] == list(model.networks())


def test_the_sizes_of_the_papers_wae_gan_are_those_of_the_authors_networks() -> None:
    paper = Document(ROOT / "params" / "paper" / "params.yaml").content["models"]["mnist"]["wae-gan"]
    assert sizes({"shape": [1, 28, 28]}, paper) == {
        "encoder": 11_050_632,
        "decoder": 10_943_745,
        "latent_critic": 793_089,
    }


def test_every_critic_is_counted() -> None:
    assert list(sizes(DATASET, entry("wgan-gp"))) == ["generator", "critic"]
    assert list(sizes(DATASET, entry("acai"))) == ["encoder", "decoder", "interpolation_critic"]


MLP = {"kind": "mlp", "latent": 2, "layers": 1, "units": 4, "output": "sigmoid"}
DEEP = {"kind": "conv", "latent": 2, "filters": [4, 4, 4], "kernel": 4, "output": "sigmoid"}  # its last maps are 1 x 1


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("wae-mmd", {}, "batch is 1; penalty mmd needs a batch of at least 2"),
        ("acai-wae-mmd", {}, "batch is 1; penalty mmd needs a batch of at least 2"),
        ("vae", {"network": MLP}, "batch is 1, and batch norm needs a batch of at least 2"),
        ("vae", {"network": DEEP}, "batch is 1, and batch norm needs a batch of at least 2"),
        ("gan", {"network": MLP}, "batch is 1, and batch norm needs a batch of at least 2"),
    ],
)
def test_a_batch_that_is_too_small_is_told_before_training_and_in_it(name: str, changes: Any, said: str) -> None:
    small = entry(name, **changes, batch=1, epochs=1)
    small |= {"pretraining": None} if "pretraining" in small else {}
    with pytest.raises(UserError, match=said):
        sizes(DATASET, small)
    with pytest.raises(UserError, match=said):
        train(DATASET, small, images(), seed=1, device="cpu")
    assert sizes(DATASET, {**small, "batch": 2})


@pytest.mark.parametrize("name", MODELS)
def test_models_that_are_defined_for_one_image_train_on_one(name: str) -> None:
    small = entry(name, batch=1, epochs=1)
    small |= {"pretraining": None} if "pretraining" in small else {}
    if small.get("penalty", {}).get("kind") != "mmd":
        assert sizes(DATASET, small)
        assert len(train(DATASET, small, images(), seed=1, device="cpu").history) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"posterior": {"kind": "deterministic"}}, "penalty kl needs a gaussian posterior"),
        ({"prior": {"kind": "cube", "radius": 1.0}}, "penalty kl needs a gaussian prior"),
        ({"prior": {"kind": "ring", "inner": 2.0, "outer": 1.0}, "penalty": {"kind": "none"}}, "inner is the smaller"),
        (
            {
                "prior": {"kind": "mixture", "components": 3, "radius": 1.0, "variance": 1.0},
                "penalty": {"kind": "none"},
                "network": {**MLP, "latent": 1},
            },
            "prior mixture has 3 components in 1 dimensions",
        ),
    ],
)
def test_parts_that_do_not_fit_are_told_without_data(changes: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        sizes(DATASET, entry("vae", **changes))
