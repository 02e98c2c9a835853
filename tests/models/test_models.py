"""Laws of every model: who moves in a turn, how often the encoder runs, ranges of what comes out."""

from __future__ import annotations

import math

import pytest
import torch
from support.entries import AUTOENCODERS, DATASET, MODELS, entry, images
from torch import Tensor
from torch.testing import assert_close

from wae.config.fit import players_of
from wae.models.autoencoder import AutoEncoder
from wae.models.compose import build
from wae.models.game import Batch, Model, play
from wae.training.optim import prepare

EVERY = pytest.mark.parametrize("name", MODELS)
ENCODING = pytest.mark.parametrize("name", AUTOENCODERS)


def made(name: str, **changes: object) -> Model:
    return build(DATASET, entry(name, **changes), torch.Generator().manual_seed(0))


def batch(n: int = 10) -> Batch:
    return Batch(torch.tensor(images(n)) / 255, torch.Generator().manual_seed(1))


def state(model: Model) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def inner(model: Model) -> AutoEncoder:
    """The auto-encoder, wrapped or not."""
    return next(part for part in model.modules() if isinstance(part, AutoEncoder))


def owned(model: Model, params: tuple[Tensor, ...]) -> set[str]:
    mine = {id(p) for p in params}
    return {name for name, value in model.named_parameters() if id(value) in mine}


@EVERY
def test_each_turn_moves_only_its_own_players_tensors(name):
    model = made(name).train()
    optimisers, _ = prepare(entry(name)["optimisers"], model.turns())
    one = batch()
    for player in model.turns():
        before = state(model)
        play((player,), optimisers, [batch() if player.fresh else one])
        moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
        mine = owned(model, player.params)
        assert moved <= mine
        # A bias before batch norm has no gradient but rounding; everything else of the player must move.
        assert {key for key in mine - moved if not key.endswith("bias")} == set()


@EVERY
def test_players_share_out_all_the_tensors(name):
    model = made(name)
    shares = {player.name: owned(model, player.params) for player in model.turns()}
    assert set.union(*shares.values()) == set(state(model))
    assert sum(map(len, shares.values())) == len(state(model))


@EVERY
def test_the_checked_players_are_those_that_play(name):
    assert set(players_of(entry(name))) == {player.name for player in made(name).turns()}


@ENCODING
def test_the_encoder_runs_once_a_round(name):
    model = made(name).train()
    autoencoder = inner(model)
    calls: list[int] = []
    autoencoder.encoder.register_forward_hook(lambda *_: calls.append(1))
    optimisers, _ = prepare(entry(name)["optimisers"], model.turns())
    play(model.turns(), optimisers, [batch()])
    tracked = [value.item() for key, value in model.named_buffers() if key.endswith("num_batches_tracked")]
    assert calls == [1]
    # Two in the encoder, one in the decoder, however many turns the critics had; mixed codes are decoded once as well.
    assert tracked == [1, 1, 2 if entry(name).get("interpolation") else 1]


@ENCODING
@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
def test_what_leaves_a_model_is_in_zero_to_one(name, output):
    model = made(name, network={**entry(name)["network"], "output": output})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(300)  # saturate
        x = batch().x
        drawn = model.generate(50, torch.Generator().manual_seed(0))
        codes = model.encode(x)
        decoded = model.decode(codes)
    assert drawn.shape == (50, 1, 8, 8)
    assert codes.shape == (10, 3)
    assert decoded.shape == x.shape
    for pixels in (drawn, decoded):
        assert 0 <= pixels.min() < 0.01
        assert 0.99 < pixels.max() <= 1


@ENCODING
def test_a_built_model_evaluates_one_image_as_in_a_batch_of_100(name):
    model = made(name)
    x = batch(100).x
    with torch.no_grad():
        assert_close(model.encode(x[:1]), model.encode(x)[:1])
        assert_close(model.decode(model.encode(x[:1])), model.decode(model.encode(x))[:1])


def test_a_tanh_network_sees_and_compares_its_own_range():
    sigmoid = made("wae-mmd", noise=0.0)
    tanh = made("wae-mmd", noise=0.0, network={**entry("wae-mmd")["network"], "output": "tanh"})
    x = batch().x
    assert_close(tanh.encode(x), sigmoid.encode(2 * x - 1))
    terms = tanh.loss(Batch(x, torch.Generator()))
    expected = 0.05 * (2 * tanh.decode(tanh.encode(x)) - 2 * x).square().sum((1, 2, 3)).mean()
    assert_close(terms["reconstruction"], expected)


def test_noise_reaches_the_encoder_in_training_and_nothing_else():
    noisy, clean = made("wae-mmd", noise=0.5), made("wae-mmd", noise=0.0)
    one, x = batch(), batch().x
    assert_close(noisy.encode(x), clean.encode(x))
    seen: list[Tensor] = []
    noisy.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    noisy.loss(one)
    added = seen[0] - x
    # Cut off at two deviations: the standard deviation is 0.88 of what it was.
    assert added.abs().max() <= 1.0 + 1e-6
    assert_close(added.std().item(), 0.5 * 0.8796, rtol=0.05, atol=0)
    assert torch.equal(one.x, x)


def test_the_decoder_sees_the_posteriors_sample_and_not_its_mean():
    model, one = made("vae", noise=0.0), batch()
    mean, log_variance = model.encoder(one.x).chunk(2, dim=1)
    sample = mean + (log_variance / 2).exp() * torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    seen: list[Tensor] = []
    model.decoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.turns()[-1].loss(one)
    assert len(seen) == 1
    assert_close(seen[0], sample)


def test_the_weight_multiplies_the_penalty_alone():
    light, heavy = (made("wae-mmd", weight=weight).loss(batch()) for weight in (1.0, 7.0))
    assert_close(heavy["penalty"], 7 * light["penalty"])
    assert_close(heavy["reconstruction"], light["reconstruction"])


def test_the_effective_lambda_is_the_weight_over_the_costs_factor():
    costs = {"l2sq": {"factor": 0.05}, "l1": {"factor": 0.02}, "bernoulli": {}, "gaussian": {"variance": 10.0}}
    found = {
        kind: made("wae-mmd", weight=10.0, cost={"kind": kind, **options}).constants()["autoencoder.effective_lambda"]
        for kind, options in costs.items()
    }
    assert found == pytest.approx({"l2sq": 200.0, "l1": 500.0, "bernoulli": 10.0, "gaussian": 200.0})


def test_the_elbo_is_below_the_evidence_and_touches_it_where_images_say_nothing():
    network = {"kind": "mlp", "latent": 1, "layers": 0, "units": 1, "output": "sigmoid"}
    model = build({"shape": [1, 1, 3]}, entry("vae", network=network), torch.Generator().manual_seed(0)).double()
    x = torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], dtype=torch.float64).view(2, 1, 1, 3)
    with torch.no_grad():
        for weights, gap in ((0.0, 0.0), (2.0, 1e-2)):
            model.decoder[0][-1].weight.fill_(weights)
            many = Batch(x.repeat(20_000, 1, 1, 1), torch.Generator().manual_seed(0))
            elbo = -sum(model.loss(many).values()).item()
            evidence = log_evidence(model, x).item()
            assert elbo <= evidence + 1e-4
            assert evidence - elbo >= gap


def log_evidence(model: AutoEncoder, x: Tensor) -> Tensor:
    """log p(x), averaged over x (m, 1, 1, 3), by quadrature over a one-dimensional code."""
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    raw = model.decoder(z[:, None])
    logs = torch.stack([-model.cost(model.output, raw, one.expand_as(raw)) for one in x])
    prior = -(z**2) / 2 - math.log(2 * math.pi) / 2
    return (logs + prior + math.log(16 / 4000)).logsumexp(1).mean()


def test_the_warm_up_lowers_the_distance_of_mean_and_covariance():
    model = made("wae-mmd").train()
    warmup = model.warmup()
    assert warmup is not None
    assert owned(model, warmup.player.params) == {key for key in state(model) if key.startswith("encoder.")}
    z = torch.tensor([[0.0, 1.0], [2.0, 1.0], [1.0, 4.0]])
    y = torch.tensor([[1.0, 0.0], [-1.0, 1.0], [0.0, -1.0]])
    one = batch(3)
    model._posterior = lambda of: type("P", (), {"sample": z})
    model._prior_sample = lambda of: y
    terms = warmup.player.loss(one)
    # Means (1, 2) and (0, 0); covariances [[1, 0], [0, 3]] and [[1, -.5], [-.5, 1]] over n - 1.
    assert_close(terms["mean"], torch.tensor((1.0 + 4.0) / 2))
    assert_close(terms["covariance"], torch.tensor((0.25 + 0.25 + 4.0) / 4))


def test_initial_weights_come_from_the_generator():
    first, same = made("wae-gan"), made("wae-gan")
    other = build(DATASET, entry("wae-gan"), torch.Generator().manual_seed(1))
    assert all(torch.equal(a, b) for a, b in zip(state(first).values(), state(same).values()))
    assert not all(torch.equal(a, b) for a, b in zip(state(first).values(), state(other).values()))
