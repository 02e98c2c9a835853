"""What each turn of a generator's game lowers, by hand, and the range of the images that it sees."""

from __future__ import annotations

import pytest
import torch
from support.entries import DATASET, entry, images
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.testing import assert_close

from wae.divergences import random_directions, sliced_wasserstein
from wae.models.compose import build
from wae.models.game import Batch
from wae.models.gan import Gan
from wae.models.objectives import (
    Clipping,
    CrossEntropy,
    GradientPenalty,
    Objective,
    Sliced,
    SlicedFeatures,
    gradient_penalty,
)

ROUNDS = 2


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


class Given:
    """Seven images of 2 x 2 pixels of both kinds, and a critic whose last hidden layer has three units."""

    def __init__(self) -> None:
        self.generator: nn.Module = nn.Linear(1, 4).double()
        layers = (nn.Flatten(), nn.Linear(4, 3).double(), nn.Tanh(), nn.Linear(3, 1).double())
        self.critic = nn.Sequential(*layers)
        with torch.no_grad():
            for seed, parameter in enumerate(self.critic.parameters()):
                parameter.copy_(draw(*parameter.shape, seed=seed))
        self.batch = Batch(draw(7, 1, 2, 2, seed=10), generator(1))
        self.made = draw(7, 1, 2, 2, seed=11) + 0.5

    def real(self, batch: Batch) -> Tensor:
        return batch.x

    def fake(self, batch: Batch) -> Tensor:
        return self.made

    def terms(self, objective: Objective, turn: int) -> dict[str, Tensor]:
        return objective.turns(self)[turn].loss(self.batch)


def linear(given: Given, norm: float) -> Tensor:
    """Make the critic f(x) = <w, x> with |w| = `norm`; returns w."""
    given.critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False).double())
    w = draw(4, seed=20)
    w = norm * w / w.norm()
    with torch.no_grad():
        given.critic[1].weight.copy_(w[None])
    return w


# ---- Kantorovich's dual ----


def test_each_image_is_mixed_by_a_uniform_weight_of_its_own() -> None:
    n, seen = 5000, []

    def critic(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.flatten(1).sum(1, keepdim=True)

    real, fake = draw(n, 1, 2, 2, seed=1), draw(n, 1, 2, 2, seed=2)
    gradient_penalty(critic, real, fake, generator())  # type: ignore[arg-type]
    alpha = ((seen[0] - fake) / (real - fake)).flatten(1)
    assert_close(alpha, alpha[:, :1].expand(-1, 4), atol=1e-9, rtol=0)
    assert len(alpha[:, 0].unique()) == n
    assert 0 <= alpha.min() < 1e-3
    assert 1 - 1e-3 < alpha.max() <= 1
    moments = [alpha[:, 0].mean().item(), alpha[:, 0].square().mean().item()]
    assert_close(moments, [1 / 2, 1 / 3], atol=4 / (12 * n) ** 0.5, rtol=0)


@pytest.mark.parametrize(("norm", "expected"), [(0.3, 0.49), (1.0, 0.0), (3.0, 4.0)])
@pytest.mark.parametrize("weight", [10.0, 2.5])
def test_a_slope_below_one_costs_as_much_as_one_above_and_the_weight_multiplies_it(
    norm: float, expected: float, weight: float
) -> None:
    given = Given()
    linear(given, norm)
    slope = given.terms(GradientPenalty(rounds=ROUNDS, weight=weight), 0)["slope"]
    assert_close(slope.item(), weight * expected, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("objective", [Clipping(rounds=ROUNDS, bound=0.01), GradientPenalty(rounds=ROUNDS, weight=1.0)])
def test_the_critic_raises_the_dual_and_the_generator_raises_what_it_gets(objective: Objective) -> None:
    given = Given()
    w = linear(given, 2.0)
    real, fake = (x.flatten(1).mean(0) @ w for x in (given.batch.x, given.made))
    assert_close(given.terms(objective, 0)["dual"], fake - real)
    assert_close(given.terms(objective, -1), {"praise": -fake})


# ---- cross entropy ----


def logits(given: Given) -> tuple[Tensor, Tensor]:
    return given.critic(given.batch.x), given.critic(given.made)


FEATURES = {"directions": 5, "defining": {"kind": "linear"}, "rounds": ROUNDS}


@pytest.mark.parametrize("objective", [CrossEntropy(rounds=ROUNDS), SlicedFeatures(p=2, **FEATURES)])
def test_a_critic_that_tells_apart_lowers_plain_cross_entropy(objective: Objective) -> None:
    given = Given()
    of_real, of_fake = logits(given)
    assert_close(given.terms(objective, 0), {"real": softplus(-of_real).mean(), "fake": softplus(of_fake).mean()})


def test_the_generator_of_the_cross_entropy_does_not_saturate() -> None:
    """-log D of the logits, not log(1 - D)."""
    given = Given()
    _, of_fake = logits(given)
    assert_close(given.terms(CrossEntropy(rounds=ROUNDS), -1), {"fooling": softplus(-of_fake).mean()})


# ---- slices ----


@pytest.mark.parametrize("p", [1, 2, 3])
def test_slices_are_of_pixels_and_of_the_critics_last_hidden_layer(p: float) -> None:
    for objective, features in (
        (Sliced(p=p, directions=5, defining={"kind": "linear"}), nn.Flatten()),
        (SlicedFeatures(p=p, **FEATURES), Given().critic[:3]),
    ):
        given = Given()
        fake, real = features(given.made), features(given.batch.x)
        theta = random_directions(5, fake.shape[1], generator(1))
        assert_close(given.terms(objective, -1), {"sliced": sliced_wasserstein(fake, real, theta, p)})


@pytest.mark.parametrize("p", [1, 2, 3])
def test_a_shift_of_one_pixel_costs_its_power(p: float) -> None:
    given = Given()
    given.batch = Batch(draw(7, 1, 1, 1), generator(1))
    given.made = given.batch.x + 3
    objective = Sliced(p=p, directions=5, defining={"kind": "linear"})
    assert_close(given.terms(objective, -1)["sliced"].item(), 3.0**p)


# ---- the images ----


@pytest.mark.parametrize(("output", "least"), [("sigmoid", 0.0), ("tanh", -1.0)])
def test_both_kinds_of_images_are_in_the_networks_own_range(output: str, least: float) -> None:
    model = build(DATASET, entry("gan", network={**entry("gan")["network"], "output": output}), generator())
    assert isinstance(model, Gan)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(30)  # so that pixels differ
        batch = Batch(torch.from_numpy(images(20)).float() / 255, generator(1))
        real, fake = model.real(batch), model.fake(batch)
        drawn = model.generate(20, generator(1))
    for found, pixels in ((real, batch.x), (fake, drawn)):
        assert pixels.max() - pixels.min() > 0.9
        assert_close(found, least + (1 - least) * pixels)
