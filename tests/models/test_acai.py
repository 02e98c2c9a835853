"""Interpolation against a critic: its losses in closed form, what it mixes, whom its gradients reach."""

from __future__ import annotations

import pytest
import torch
from support.entries import DATASET, entry, images
from torch import Tensor, nn
from torch.testing import assert_close

from wae.config.fit import players_of
from wae.models.acai import Acai
from wae.models.autoencoder import AutoEncoder
from wae.models.compose import build
from wae.models.game import Batch


def made(name: str = "acai", **changes: object) -> Acai:
    model = build(DATASET, entry(name, noise=0.0, **changes), torch.Generator().manual_seed(0))
    assert isinstance(model, Acai)
    return model


def batch(n: int = 10, seed: int = 1) -> Batch:
    return Batch(torch.tensor(images(n)) / 255, torch.Generator().manual_seed(seed))


class Constant(nn.Module):
    """A critic that sees nothing."""

    def __init__(self, guess: float) -> None:
        super().__init__()
        self.guess = nn.Parameter(torch.tensor(guess))

    def forward(self, x: Tensor) -> Tensor:
        return self.guess.expand(len(x), 1)


def test_mixing_weights_are_uniform_up_to_a_half() -> None:
    alpha, _ = made().interpolation(Batch(torch.zeros(20_000, 1, 8, 8), torch.Generator().manual_seed(0)))
    assert alpha.shape == (20_000, 1)
    assert 0 <= alpha.min() < 1e-3
    assert 0.499 < alpha.max() <= 0.5
    assert_close(alpha.mean().item(), 0.25, rtol=0, atol=0.005)
    assert_close(alpha.square().mean().item(), 1 / 12, rtol=0, atol=0.003)


def test_a_blind_critics_best_loss() -> None:
    """E (c - a)^2 + c^2 is least at c = E a / 2 = 1/8: 1/12 - 1/32."""
    model, one = made(), batch(20_000)
    losses = {}
    for guess in (0.1, 0.125, 0.15):
        model.critic = Constant(guess)
        losses[guess] = sum(model.critic_loss(one).values()).item()
    assert_close(losses[0.125], 0.0520833, rtol=0, atol=0.001)
    assert min(losses, key=losses.__getitem__) == 0.125


@pytest.mark.parametrize("n", [1, 9, 10])
def test_codes_are_mixed_with_a_neighbours_and_decoded(n: int) -> None:
    model, one = made(), batch(n)
    with torch.no_grad():
        for parameter in model.model.parameters():
            parameter.mul_(30)  # so that codes and images differ
    alpha, mixed = model.interpolation(one)
    z = model.encode(one.x)
    expected = torch.stack([a * z[i] + (1 - a) * z[i - 1] for i, a in enumerate(alpha)])
    assert_close(mixed, model.decode(expected))
    if n > 1:
        assert not torch.isclose(mixed, model.decode(z)).flatten(1).all(1).any()


@pytest.mark.parametrize(("output", "least"), [("sigmoid", 0), ("tanh", -1)])
def test_what_the_critic_must_call_unmixed_is_mostly_reconstruction(output: str, least: int) -> None:
    model, one = made(network={**entry("acai")["network"], "output": output}), batch()
    seen: list[Tensor] = []
    model.critic.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.critic_loss(one)
    reconstruction = model.decode(model.encode(one.x))
    assert_close(seen[0][:10], model.interpolation(one)[1])
    assert_close(seen[0][10:], least + (1 - least) * (0.2 * one.x + 0.8 * reconstruction))


def test_the_auto_encoder_keeps_its_terms_and_gets_one_more() -> None:
    model = made("acai-wwae", interpolation={"weight": 3.0, "gamma": 0.2})
    model.critic = Constant(0.5)
    own, all_terms = model.model.loss(batch()), model.loss(batch())
    assert all_terms.keys() - own.keys() == {"interpolation"}
    assert_close(all_terms["interpolation"].item(), 3.0 * 0.25)
    for name, value in own.items():
        assert_close(all_terms[name], value)


def test_it_tells_the_effective_lambda_of_the_auto_encoder() -> None:
    model = made("acai-wae-mmd", weight=10.0, cost={"kind": "l2sq", "factor": 0.05})
    assert model.constants() == pytest.approx({"autoencoder.effective_lambda": 200.0})


def test_the_critic_reaches_nobody_else() -> None:
    model = made()
    sum(model.critic_loss(batch()).values()).backward()
    assert all(p.grad is None for p in model.model.parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.critic.parameters())


def test_no_image_sees_another_in_the_critic() -> None:
    critic, x = made().train().critic, batch(100).x
    assert critic(x).shape == (100, 1)
    assert_close(critic(x[:1]), critic(x)[:1])
    assert not list(critic.buffers())


def test_a_tanh_network_mixes_in_its_own_range() -> None:
    model = made(network={**entry("acai")["network"], "output": "tanh"})
    one = batch()
    _, mixed = model.interpolation(one)
    assert -1 <= mixed.min() < 0


def test_it_is_a_wrapper_whose_player_is_asked_for() -> None:
    options = entry("wae-gan")
    assert isinstance(build(DATASET, options), AutoEncoder)
    options["interpolation"] = {"weight": 0.5, "gamma": 0.2}
    wrapped = build(DATASET, options)
    assert isinstance(wrapped, Acai)
    names = [player.name for player in wrapped.turns()]
    assert names == ["latent_critic", "latent_critic", "interpolation_critic", "autoencoder"]
    assert set(players_of(options)) == set(names)


def test_a_critic_learns_to_see_mixing() -> None:
    """Images white on the left or on the right, codes 1 or -1: the more of a, the greyer both sides."""
    model = made()
    sides = torch.tensor([1.0] * 4 + [-1.0] * 4).repeat(8)
    model.model.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 3, bias=False))
    model.model.decoder = nn.Sequential(nn.Linear(3, 64, bias=False), nn.Unflatten(1, (1, 8, 8)))
    with torch.no_grad():
        model.model.encoder[1].weight.copy_(sides / 32)
        model.model.decoder[0].weight.copy_(sides[:, None])
    x = torch.stack([sides, -sides]).gt(0).float().view(2, 1, 8, 8).repeat(50, 1, 1, 1)
    optimiser, draws = torch.optim.Adam(model.critic.parameters(), 3e-3), torch.Generator().manual_seed(0)
    for _ in range(200):
        optimiser.zero_grad()
        loss = sum(model.critic_loss(Batch(x, draws)).values())
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.01  # blind: 0.052
