"""The Sinkhorn divergence against POT, geomloss and its two limits; Jensen-Shannon by a critic."""

from __future__ import annotations

import math

import numpy as np
import ot
import pytest
import torch
from geomloss import SamplesLoss
from torch import Tensor
from torch.autograd import gradcheck
from torch.distributions import Normal
from torch.testing import assert_close

from wae.divergences import blocks, entropic, jensen_shannon, sinkhorn_divergence


def normal(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_pot(x: Tensor, y: Tensor, epsilon: float, p: float) -> float:
    """<P, cost> + epsilon KL(P | uniform) at POT's plan, debiased."""

    def transport(a: Tensor, b: Tensor) -> float:
        cost = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").pow(p).numpy()
        plan = ot.sinkhorn([], [], cost, epsilon, method="sinkhorn_log", stopThr=1e-9, numItermax=3000)
        return float((plan * cost).sum() + epsilon * (plan * np.log(plan * plan.size)).sum())

    return transport(x, y) - transport(x, x) / 2 - transport(y, y) / 2


@pytest.mark.parametrize("epsilon", [2.0, 6.0])
@pytest.mark.parametrize("p", [1, 2, 1.5])
@pytest.mark.parametrize("m", [30, 20])
def test_against_pot(epsilon: float, p: float, m: int):
    x, y = normal(30, 3), 2 * normal(m, 3, 1) + 1
    assert_close(sinkhorn_divergence(x, y, epsilon, p, steps=400).item(), by_pot(x, y, epsilon, p), rtol=1e-6, atol=0)


@pytest.mark.parametrize("p", [1, 2])
def test_against_geomloss(p: int):
    # geomloss: cost |x - y|^p / p and epsilon = blur^p.
    x, y, epsilon = normal(40, 4), 2 * normal(30, 4, 1) + 1, 0.8
    reference = SamplesLoss("sinkhorn", p=p, blur=(epsilon / p) ** (1 / p), scaling=0.995, backend="tensorized")
    expected = p * reference(x, y).item()
    assert_close(sinkhorn_divergence(x, y, epsilon, p, steps=400).item(), expected, rtol=1e-4, atol=0)


def test_small_epsilon_is_exact_transport():
    x, y = normal(25, 2), normal(25, 2, 1) + 2
    exact = ot.emd2([], [], ot.dist(x.numpy(), y.numpy()))
    assert_close(sinkhorn_divergence(x, y, 0.01, steps=1000).item(), exact, rtol=1e-2, atol=0)


def test_large_epsilon_is_the_distance_of_the_means():
    x, y = normal(25, 3), 2 * normal(40, 3, 1) + 2
    assert_close(sinkhorn_divergence(x, y, 1e7), (x.mean(0) - y.mean(0)).square().sum(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("epsilon", [0.05, 1.0, 20.0])
def test_a_shift_costs_its_square_at_every_epsilon(epsilon: float):
    x, t = normal(30, 5), normal(1, 5, 1)
    assert_close(sinkhorn_divergence(x, x + t, epsilon, steps=1000), t.square().sum(), rtol=1e-6, atol=0)


def test_the_error_of_few_steps():
    x, y = 1.3 * normal(100, 8) + 0.2, normal(100, 8, 1)
    for epsilon, ten, twenty in [(0.08, 3e-2, 6e-3), (0.8, 3e-3, 2e-4), (8.0, 3e-5, 3e-8)]:
        exact = sinkhorn_divergence(x, y, epsilon, steps=2000)
        assert_close(sinkhorn_divergence(x, y, epsilon), exact, rtol=ten, atol=0)
        assert_close(sinkhorn_divergence(x, y, epsilon, steps=20), exact, rtol=twenty, atol=0)


def test_invariances():
    x, y = normal(30, 4), 2 * normal(20, 4, 1) + 1
    value = sinkhorn_divergence(x, y, 1.0, steps=200)
    rotation = torch.linalg.qr(normal(4, 4, 2)).Q
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    assert_close(sinkhorn_divergence(x[order] @ rotation + 7, y @ rotation + 7, 1.0, steps=200), value)
    assert_close(sinkhorn_divergence(y, x, 1.0, steps=200), value)
    assert_close(sinkhorn_divergence(3 * x, 3 * y, 9.0, steps=200), 9 * value)
    assert_close(sinkhorn_divergence(x, x, 1.0).item(), 0.0, atol=1e-3 * value.item(), rtol=0)
    assert value > 0


@pytest.mark.parametrize("p", [1, 2])
def test_gradient(p: int):
    x, y = normal(7, 2).requires_grad_(), (normal(5, 2, 1) + 1).requires_grad_()
    assert gradcheck(lambda a, b: sinkhorn_divergence(a, b, 0.7, p, steps=300), (x, y), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("p", [1, 2])
def test_equal_samples_have_no_slope_and_no_nan(p: int):
    x = normal(20, 3)
    moving = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(sinkhorn_divergence(moving, x, 2.0, p, steps=500), moving)
    assert_close(gradient, torch.zeros_like(x), atol=1e-8, rtol=0)


def test_blocks_and_costs_computed_again_change_nothing(monkeypatch):
    x, y = normal(23, 4).requires_grad_(), normal(17, 4, 1)
    whole = sinkhorn_divergence(x, y, 0.5)
    (gradient,) = torch.autograd.grad(whole, x)
    monkeypatch.setitem(blocks.LIMIT, "cpu", 100)
    for held in (entropic.HELD, 0):
        monkeypatch.setattr(entropic, "HELD", held)
        again = sinkhorn_divergence(x, y, 0.5)
        assert_close(again, whole)
        assert_close(torch.autograd.grad(again, x)[0], gradient)


def test_single_precision():
    x, y = normal(50, 8) + 100, normal(50, 8, 1) + 101
    value = sinkhorn_divergence(x.float(), y.float(), 0.05)
    assert value.dtype == torch.float32
    assert_close(value.double(), sinkhorn_divergence(x, y, 0.05), rtol=1e-3, atol=0)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="expected samples"):
        sinkhorn_divergence(normal(4, 3), normal(4, 2), 1.0)


# Jensen-Shannon


def test_a_blind_critic_and_disjoint_supports():
    blind, sure = torch.zeros(10, 1), torch.full((10, 1), 200.0)
    assert_close(jensen_shannon(blind, blind).item(), 0.0, atol=1e-7, rtol=0)
    assert_close(jensen_shannon(sure, -sure).item(), math.log(2))
    assert_close(jensen_shannon(-sure, sure).item(), math.log(2) - 200)


def test_the_best_critic_of_two_gaussians():
    p, q, grid = Normal(0.0, 1.0), Normal(2.0, 1.0), torch.linspace(-12, 14, 200_001, dtype=torch.float64)
    a, b = p.log_prob(grid).exp(), q.log_prob(grid).exp()
    middle = (a + b) / 2
    exact = (a * (a / middle).log() + b * (b / middle).log()).nan_to_num(0).sum() * (grid[1] - grid[0]) / 2
    n = 400_000
    u = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    x, y = (m + math.sqrt(2) * torch.erfinv(2 * u - 1) for m in (0.0, 2.0))
    assert_close(jensen_shannon(2 - 2 * x, 2 - 2 * y), exact, rtol=1e-4, atol=0)
    assert jensen_shannon(1.5 - 2 * x, 1.5 - 2 * y) < exact
    assert jensen_shannon(1 - x, 1 - y) < exact
