"""Ascent to the best slice: it finds what moments show, beats random draws, and its bias is stated."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from wae.divergences import (
    DEFINING,
    ascend,
    leading_directions,
    max_generalized_sliced_wasserstein,
    max_sliced_wasserstein,
    random_directions,
    slices,
    steepest,
    wasserstein_1d,
)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=generator(seed), dtype=torch.float64)


def directions(k: int, d: int, seed: int = 9) -> Tensor:
    return random_directions(k, d, generator(seed), torch.float64)


def exact_moments(n: int, d: int, seed: int) -> Tensor:
    """Normal draws moved to mean 0 and covariance I, so that sampling noise of the moments is out of a closed form."""
    x = normal(n, d, seed)
    x = x - x.mean(0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(x.T @ x / n)).T


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("kind", "truth"), [("shift", 25.0), ("variance", 16.0)])
def test_max_sliced_finds_the_truth(kind: str, truth: float, seed: int):
    """n = 5000, d = 64. With the moments exact the truth is the population's; two steps reach it from both sides."""
    x, y, e = exact_moments(5000, 64, 2 * seed), exact_moments(5000, 64, 2 * seed + 1), directions(1, 64, seed)
    x = x + 5 * e if kind == "shift" else x + 4 * (x @ e.T) * e
    found = max_sliced_wasserstein(x, y, steps=2).item()
    assert_close(found, truth, rtol=0.03, atol=0)
    assert found >= slices(x, y, e).item()
    single = max_sliced_wasserstein(x.float(), y.float(), steps=2).item()
    assert_close(single, found, rtol=1e-3, atol=0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["shift", "variance"])
def test_plain_draws_add_their_own_noise_only(kind: str, seed: int):
    """Sampling alone moves W_2^2 along the true direction: sd 0.2 at the shift, 0.4 (2.5%) at the variance."""
    x, y, e = normal(5000, 64, 50 + seed), normal(5000, 64, 60 + seed), directions(1, 64, seed)
    x = x + 5 * e if kind == "shift" else x + 4 * (x @ e.T) * e
    found, along = max_sliced_wasserstein(x, y, steps=2).item(), slices(x, y, e).item()
    assert along <= found <= 1.03 * along
    assert_close(found, max_sliced_wasserstein(x, y, starts=20, steps=40).item(), rtol=1e-3, atol=0)


def test_a_start_at_the_mean_difference_alone_misses_the_variance():
    x, y, e = normal(5000, 64), normal(5000, 64, 1), directions(1, 64)
    x = x + 4 * (x @ e.T) * e
    assert max_sliced_wasserstein(x, y, starts=1, steps=0) < 4
    assert max_sliced_wasserstein(x, y, steps=0) > 0.99 * slices(x, y, e)


def test_upward_bias_of_small_samples():
    """At n = 100, d = 64 the best direction also fits the noise: 1.44, 26.1, 17.4 for a truth of 0, 25, 16."""
    stretch = torch.ones(64, dtype=torch.float64).index_fill(0, torch.tensor(0), 5)
    for move, biased in [(lambda x: x, 1.44), (lambda x: x + 5 / 8, 26.1), (lambda x: x * stretch, 17.4)]:
        pairs = [(normal(100, 64, s), normal(100, 64, 1000 + s)) for s in range(40)]
        draws = torch.stack([max_sliced_wasserstein(move(x), y) for x, y in pairs])
        assert_close(draws.mean().item(), biased, atol=4 * draws.std().item() / math.sqrt(40), rtol=0)


def test_ascent_never_descends_and_starts_count():
    x, y = normal(200, 6), normal(150, 6, 1) * torch.linspace(0.5, 2, 6).double()
    for name in DEFINING:
        theta = directions(5, DEFINING[name]().size(6))
        before = slices(x, y, theta, name)
        after, values = ascend(x, y, theta, name, steps=8)
        assert (values >= before).all()
        assert (values > before).all()
        assert values.mean() > 1.03 * before.mean()
        assert_close(after.norm(dim=1), torch.ones(5, dtype=torch.float64))
        assert_close(slices(x, y, after, name), values)
        best = max_generalized_sliced_wasserstein(x, y, name, directions=theta)
        assert best >= values.max() * (1 - 1e-6)


def test_the_best_slice_beats_many_random_ones():
    x, y = normal(200, 6) + 0.5, normal(200, 6, 1) * torch.linspace(0.5, 2, 6).double()
    for name in DEFINING:
        draws = slices(x, y, directions(2000, DEFINING[name]().size(6)), name)
        assert max_generalized_sliced_wasserstein(x, y, name) > draws.max()


def test_equal_samples_and_one_dimension():
    x = normal(20, 5)
    assert max_sliced_wasserstein(x, x) == 0
    assert steepest(x, x).isfinite().all()
    u, v = normal(20, 1), normal(20, 1, 1) + 2
    assert_close(max_sliced_wasserstein(u, v), wasserstein_1d(u, v)[0])
    collapsed = torch.zeros(20, 5, dtype=torch.float64)
    assert_close(max_sliced_wasserstein(collapsed, collapsed + 2), torch.tensor(20.0).double())


def test_leading_directions_are_the_eigenvectors():
    x, y = normal(2000, 5) * torch.tensor([1, 4, 1, 0.1, 2]).double(), normal(2000, 5, 1)
    difference = torch.cov(x.T, correction=0) - torch.cov(y.T, correction=0)
    values, vectors = torch.linalg.eigh(difference)
    order = values.abs().argsort(descending=True)
    lead = leading_directions(x, y, 3, rounds=30)
    assert_close((lead[1:] @ vectors[:, order[:2]]).abs(), torch.eye(2).double(), atol=1e-6, rtol=0)
    assert_close(lead[0], (x - y).mean(0) / (x - y).mean(0).norm())


def test_the_gradient_of_the_best_slice_is_the_envelope_s():
    x, y = (normal(30, 3) * torch.tensor([3.0, 1, 1]).double()).requires_grad_(), normal(30, 3, 1)
    (gradient,) = torch.autograd.grad(max_sliced_wasserstein(x, y, steps=200), x)
    step = 1e-5 * normal(30, 3, 2)
    with torch.no_grad():
        up, down = (max_sliced_wasserstein(x + s, y, steps=200) for s in (step, -step))
    assert_close((gradient * step).sum(), (up - down) / 2, rtol=1e-4, atol=0)
