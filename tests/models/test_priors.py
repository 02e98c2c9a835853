"""Priors: moments and support in closed form."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from wae.models.priors import PRIORS, Prior

# kind -> options, and a coordinate's variances at d = 3: those of the first two, that of the third
CASES: dict[str, tuple[dict[str, Any], float, float]] = {
    "gaussian": ({"variance": 4.0}, 4.0, 4.0),
    "cube": ({"radius": 3.0}, 3.0, 3.0),
    "sphere": ({"radius": 3.0}, 3.0, 3.0),
    "ball": ({"radius": 5.0}, 5.0, 5.0),
    # E |z|^2 / 3 = (3 / 5) (2^5 - 1) / (2^3 - 1) / 3
    "ring": ({"inner": 1.0, "outer": 2.0}, 31 / 35, 31 / 35),
    "mixture": ({"components": 5, "radius": 2.0, "variance": 0.25}, 2.25, 0.25),
}
EVERY = pytest.mark.parametrize("kind", PRIORS)


def prior(kind: str, d: int = 3) -> Prior:
    return PRIORS[kind](d, **CASES[kind][0])


def draw(of: Prior, n: int = 200_000, seed: int = 0) -> Tensor:
    return of.sample(n, torch.Generator().manual_seed(seed))


@EVERY
def test_moments(kind: str) -> None:
    one = prior(kind)
    z = draw(one)
    plane, third = CASES[kind][1:]
    assert_close(one.variance, (2 * plane + third) / 3)
    assert_close(z.mean(0), torch.zeros(3), rtol=0, atol=0.02)
    assert_close(z.T.cov(), torch.diag(torch.tensor([plane, plane, third])), rtol=0, atol=0.04)


@EVERY
def test_draws_are_the_generators_and_independent(kind: str) -> None:
    one = prior(kind)
    assert torch.equal(draw(one, 50), draw(one, 50))
    assert not torch.equal(draw(one, 50), draw(one, 50, seed=1))
    z = draw(one)
    together = torch.cat([z[0::2], z[1::2]], 1).T.cov()
    assert_close(together[:3, 3:], torch.zeros(3, 3), rtol=0, atol=0.04)


def test_supports() -> None:
    for d in (1, 2, 8):
        radii = {kind: draw(prior(kind, d), 20_000).norm(dim=1) for kind in ("sphere", "ball", "ring")}
        assert_close(radii["sphere"], torch.full((20_000,), 3.0))
        assert 4.9 < radii["ball"].max() <= 5.0 + 1e-5
        assert radii["ring"].min() >= 1.0 - 1e-6
        assert 1.9 < radii["ring"].max() <= 2.0 + 1e-6
        cube = draw(prior("cube", d), 20_000).abs()
        assert 2.99 < cube.max() <= 3.0


def test_volume_is_uniform() -> None:
    """|z|^d is uniform in a ball: half of the volume is within 2^(-1/d) of the radius."""
    for d in (1, 2, 8):
        inside = (draw(prior("ball", d)).norm(dim=1) < 5.0 * 0.5 ** (1 / d)).float().mean()
        assert_close(inside.item(), 0.5, rtol=0, atol=0.005)
        hole, edge = (1 / 2) ** d, ((1 + 2**d) / 2) ** (1 / d)
        inside = (draw(prior("ring", d)).norm(dim=1) < edge).float().mean()
        assert hole < 1
        assert_close(inside.item(), 0.5, rtol=0, atol=0.005)


def test_the_sphere_has_no_preferred_direction() -> None:
    """On the sphere in space every coordinate is uniform (Archimedes)."""
    z = draw(prior("sphere")).sort(0).values
    assert_close(z, torch.linspace(-3, 3, len(z))[:, None].expand(-1, 3), rtol=0, atol=0.03)


def test_the_mixture_has_its_components() -> None:
    z = draw(PRIORS["mixture"](3, components=5, radius=2.0, variance=1e-4))
    angle = torch.atan2(z[:, 1], z[:, 0]) / (2 * math.pi / 5)
    assert (angle - angle.round()).abs().max() < 0.05
    assert_close(torch.bincount(angle.round().long() % 5) / len(z), torch.full((5,), 0.2), rtol=0, atol=0.005)
    assert_close(z[:, :2].norm(dim=1), torch.full((len(z),), 2.0), rtol=0, atol=0.06)


@pytest.mark.parametrize(
    ("kind", "d", "options", "words"),
    [
        ("ring", 2, {"inner": 2.0, "outer": 2.0}, "inner is the smaller one"),
        ("mixture", 1, {"components": 3, "radius": 1.0, "variance": 1.0}, "3 components in 1 dimensions"),
        ("mixture", 2, {"components": 1, "radius": 1.0, "variance": 1.0}, "1 components in 2 dimensions"),
    ],
)
def test_what_makes_no_sense_is_refused(kind: str, d: int, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PRIORS[kind](d, **options)
