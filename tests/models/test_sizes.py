"""Parameter counts of a parameter entry, without allocating its networks."""

from __future__ import annotations

import pytest
import torch
from support.entries import DATASET, MODELS, entry
from support.project import ROOT

from wae.config.yaml import Document
from wae.models.compose import build, sizes


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
