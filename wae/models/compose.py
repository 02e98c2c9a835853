"""The models of the family, composed from networks, a cost, a prior and a penalty: from parameters to modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from wae.errors import UserError
from wae.models.acai import Acai
from wae.models.autoencoder import AutoEncoder, Options
from wae.models.costs import COSTS
from wae.models.game import Model
from wae.models.gan import Gan
from wae.models.nets import NETWORKS, initialise
from wae.models.objectives import OBJECTIVES
from wae.models.penalties import NO_DENSITY, PENALTIES
from wae.models.posteriors import POSTERIORS
from wae.models.priors import PRIORS


def autoencoder(
    shape: Sequence[int],
    *,
    network: Options,
    posterior: Options,
    cost: Options,
    prior: Options,
    penalty: Options,
    weight: float,
    noise: float,
    pretraining: Options | None,
    interpolation: Options | None = None,
) -> Model:
    """An auto-encoder for images of `shape` (c, h, w), from its parts' options; in `Acai` if `interpolation` is set."""
    reading = _make(POSTERIORS, posterior)
    networks = _make(NETWORKS, network, shape, reading.heads)
    distribution = _make(PRIORS, prior, networks.latent)
    distance = _make(PENALTIES, penalty, distribution)
    if distance.density and not reading.density:
        raise UserError(NO_DENSITY)
    model = AutoEncoder(
        networks,
        reading,
        _make(COSTS, cost),
        distribution,
        distance,
        weight=weight,
        noise=noise,
        pretraining=pretraining,
    )
    return model if interpolation is None else Acai(model, networks.critic(), **interpolation)


def gan(shape: Sequence[int], *, network: Options, prior: Options, objective: Options) -> Model:
    """A generator for images of `shape` (c, h, w), the network's decoder, from the options of its parts."""
    networks = _make(NETWORKS, network, shape, 1)
    rules = _make(OBJECTIVES, objective)
    critic = networks.critic() if rules.players else nn.Sequential()
    return Gan(networks.decoder, critic, networks.output, _make(PRIORS, prior, networks.latent), rules)


def build(dataset: Options, model: Options, generator: torch.Generator | None = None) -> Model:
    """The model that a parameter entry describes, for the data set's images: initial weights, evaluation mode.

    Args:
        model: `kind` and the options of that kind; options for training only (TRAINING) are ignored.
        generator: draws the initial weights; torch's own if None.
    """
    built = assembled(dataset, model)
    initialise(built, generator)
    return built.eval()


def counts(built: Model) -> dict[str, int]:
    """Parameter counts of a model's networks by name, then of each critic's."""
    networks = {name: tuple(network.parameters()) for name, network in built.networks().items()}
    shared = {id(weight) for weights in networks.values() for weight in weights}
    critics = {turn.name: turn.params for turn in built.turns() if shared.isdisjoint(map(id, turn.params))}
    return {name: sum(weight.numel() for weight in weights) for name, weights in (networks | critics).items()}


def assembled(dataset: Options, model: Options) -> Model:
    """The model that a parameter entry describes; its weights are as torch creates them. Arguments as in `build`."""
    options = {key: value for key, value in model.items() if key not in TRAINING}
    built: Model = _make(MODELS, options, dataset["shape"])
    return built


def _make(table: Mapping[str, Any], options: Options, *parts: Any) -> Any:
    rest = {key: value for key, value in options.items() if key != "kind"}
    return table[options["kind"]](*parts, **rest)


TRAINING = ("epochs", "batch", "optimisers", "annealing", "precision", "compile")
MODELS = {"autoencoder": autoencoder, "gan": gan}
