"""The objectives of generators: closed forms, turns, and that two moons are learnt."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from support.entries import DATASET, FAMILY, MODELS, entry, images, run
from torch import Tensor, nn
from torch.testing import assert_close

from wae.divergences import random_directions, sliced_wasserstein
from wae.models.compose import build
from wae.models.game import Batch, draws
from wae.models.gan import Gan
from wae.models.objectives import (
    OBJECTIVES,
    Clipping,
    GradientPenalty,
    Sliced,
    SlicedFeatures,
    dual,
    gradient_penalty,
    telling,
)
from wae.training.run import Run

GANS = [name for name, options in MODELS.items() if options["kind"] == "gan"]
EVERY = pytest.mark.parametrize("name", GANS)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(n: int = 6) -> Batch:
    return Batch(torch.from_numpy(images(n)).float() / 255, generator())


def model(name: str) -> Gan:
    built = build(DATASET, entry(name), generator())
    assert isinstance(built, Gan)
    return built.train()


def test_the_family_has_every_objective() -> None:
    assert {FAMILY[name]["objective"]["kind"] for name in GANS} == set(OBJECTIVES)


# ---- closed forms ----


class Linear(nn.Module):
    """f(x) = w . x."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = nn.Parameter(w)

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.w[:, None]


def test_the_gradient_penalty_of_a_linear_critic() -> None:
    """(|w| - 1)^2, the norm over all elements of an image and not along an axis of it, and its slope in w."""
    w = torch.randn(2 * 3 * 4, generator=generator(), dtype=torch.float64)
    critic = Linear(w)
    real, fake = (torch.rand(5, 2, 3, 4, generator=generator(seed), dtype=torch.float64) for seed in (1, 2))
    value = gradient_penalty(critic, real, fake, generator())
    assert_close(value, (w.norm() - 1) ** 2)
    (slope,) = torch.autograd.grad(value, critic.w)
    assert_close(slope, 2 * (w.norm() - 1) * w / w.norm())


def test_the_gradient_penalty_looks_between_the_images() -> None:
    """f(x) = |x|^2 / 2 has slope |x|: with both sides on one point it is that point's; else it lies between."""

    class Square(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1).square().sum(1, keepdim=True) / 2

    point = torch.full((4, 1, 2, 2), 2.0, dtype=torch.float64)
    assert_close(gradient_penalty(Square(), point, point, generator()), torch.tensor(9.0, dtype=torch.float64))
    between = gradient_penalty(Square(), point, torch.zeros_like(point), generator())
    assert 0 < between < 9


@pytest.mark.parametrize("name", ["wgan", "wgan-gp"])
def test_the_dual_is_the_difference_of_means(name: str) -> None:
    one, of = model(name), batch()
    value = dual(one, of)["dual"]
    apart = one.critic(one.fake(of)).mean() - one.critic(one.real(of)).mean()
    assert_close(value, apart, rtol=1e-5, atol=1e-7)


def test_clipping_leaves_the_maps_in_the_box_and_norms_alone() -> None:
    of = run("wgan")
    while not of.done:
        of.advance()
    gains = 0
    for part in of.model.critic.modules():
        for weight in part.parameters(recurse=False):
            if isinstance(part, nn.Conv2d | nn.Linear):
                assert weight.abs().max() <= 0.01
            else:
                gains += int(weight.abs().max() > 0.5)
    assert gains


def test_pixels_are_told_apart_by_the_sliced_distance() -> None:
    one, of = model("swg"), batch()
    objective = one.objective
    assert isinstance(objective, Sliced)
    (turn,) = one.turns()
    fake, before = one.fake(of), of.generator.get_state()
    value = turn.loss(of)["sliced"]
    theta = random_directions(5, 64, generator().set_state(before))
    assert_close(value, sliced_wasserstein(fake.flatten(1), of.x.flatten(1), theta))


def test_features_are_the_critics_last_hidden_layer() -> None:
    one, of = model("swg-features"), batch()
    assert isinstance(one.objective, SlicedFeatures)
    hidden = one.critic[:-1](of.x)
    assert hidden.ndim == 2
    assert_close(one.critic[-1](hidden), one.critic(of.x))


def test_a_blind_critic_loses_log_two_twice() -> None:
    one = model("gan")
    nn.init.zeros_(one.critic[-1].weight)
    terms = telling(one).loss(batch())
    assert_close(terms["real"] + terms["fake"], torch.tensor(2 * np.log(2), dtype=torch.float32))


# ---- the turns ----


@EVERY
def test_fresh_critics_have_batches_of_their_own(name: str) -> None:
    turns = model(name).turns()
    rounds = entry(name)["objective"].get("rounds", 0)
    fresh = isinstance(model(name).objective, Clipping | GradientPenalty)
    assert [turn.name for turn in turns] == ["critic"] * rounds + ["generator"]
    assert draws(turns) == (rounds + 1 if fresh else 1)


# ---- two moons ----


def moons(n: int, seed: int) -> np.ndarray:
    """(n, 1, 1, 2) uint8: two half circles that reach into each other, with noise."""
    rng = np.random.default_rng(seed)
    angle, upper = np.pi * rng.random(n), rng.random(n) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) + 0.05 * rng.standard_normal(n)
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) + 0.05 * rng.standard_normal(n)
    scaled = np.stack([(x + 1.3) / 3.6, (y + 0.8) / 2.2], 1)
    return np.round(255 * scaled.clip(0, 1)).astype(np.uint8).reshape(n, 1, 1, 2)


def distance(x: np.ndarray, y: np.ndarray) -> float:
    """SW_2^2 of two sets of points in the unit square, over 200 directions."""
    a, b = (torch.from_numpy(points.reshape(-1, 2)).double() / 255 for points in (x, y))
    return sliced_wasserstein(a, b, random_directions(200, 2, generator()).double()).item()


def on_moons(name: str) -> dict[str, Any]:
    """The family's entry with fully connected networks and as many rounds as a plane needs."""
    options = copy.deepcopy(FAMILY[name])
    options["network"] = {"kind": "mlp", "latent": 2, "layers": 3, "units": 64, "output": "sigmoid"}
    options |= MOONS[name]
    options["objective"] |= OBJECTIVES_ON_MOONS.get(name, {})
    for settings in options["optimisers"].values():
        settings |= {"lr": 0.001, "schedule": {"kind": "steps", "at": [0.5, 0.8], "factors": [0.3, 0.05]}}
    return options


MOONS = {
    **{key: {"batch": 100, "epochs": 100} for key in ["gan", "swg", "swg-features", "max-swg"]},
    "wgan": {"batch": 50, "epochs": 300},
    "wgan-gp": {"batch": 100, "epochs": 400},
}
# The distance between planes' points is a fraction of one: a slope of 1 is held by a smaller weight than on images.
OBJECTIVES_ON_MOONS = {"gan": {"rounds": 2}, "wgan-gp": {"weight": 0.1}}


@pytest.mark.slow
@EVERY
def test_two_moons_are_learnt(name: str) -> None:
    """A generator's samples are far nearer to held-out points than before training, in units of the noise floor."""
    data, held_out = moons(4000, 1), moons(1000, 2)
    space = {"kind": "digits", "shape": [1, 1, 2], "labels": False}
    of = Run(space, on_moons(name), data, seed=1, device="cpu")

    def measured() -> float:
        of.model.eval()
        with torch.no_grad():
            drawn = (255 * of.model.generate(1000, generator(3))).round().to(torch.uint8).numpy()
        of.model.train()
        return distance(drawn, held_out)

    before = measured()
    while not of.done:
        of.advance()
    after, floor = measured(), distance(moons(1000, 4), held_out)
    print(f"{name}: {before:.5f} -> {after:.5f}, floor {floor:.5f}")
    assert after < 20 * floor
    assert after < before / 10
