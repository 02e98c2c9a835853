"""Distances of Gaussians: closed forms, POT, and a gradient that stays exact where eigenvectors are not defined."""

from __future__ import annotations

import math

import ot
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch.testing import assert_close

from wae.divergences import bures_to_prior, bures_wasserstein, gaussian


def normal(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(d: int, seed: int, rank: int | None = None) -> Tensor:
    a = normal(rank or 2 * d, d, seed)
    return a.T @ a / len(a)


def zero(d: int) -> Tensor:
    return torch.zeros(d, dtype=torch.float64)


def test_commuting_covariances():
    a, b = (torch.diag(torch.tensor(v).double()) for v in ([1, 4, 9], [4, 4, 1]))
    assert_close(bures_wasserstein(zero(3), a, zero(3), b).item(), 5.0)
    assert_close(bures_wasserstein(zero(3), a, zero(3) + 2, b).item(), 17.0)


@pytest.mark.parametrize("d", [1, 2, 8, 64])
def test_against_pot(d: int):
    m, k, s, t = normal(1, d)[0], normal(1, d, 1)[0], covariance(d, 2), covariance(d, 3)
    expected = ot.gaussian.bures_wasserstein_distance(m.numpy(), k.numpy(), s.numpy(), t.numpy()) ** 2
    assert_close(bures_wasserstein(m, s, k, t).item(), expected, rtol=1e-9, atol=1e-12)


def test_invariances():
    m, k, s, t = normal(1, 5)[0], normal(1, 5, 1)[0], covariance(5, 2), covariance(5, 3)
    rotation = torch.linalg.qr(normal(5, 5, 4)).Q
    value = bures_wasserstein(m, s, k, t)
    turned = bures_wasserstein(m @ rotation + 1, rotation.T @ s @ rotation, k @ rotation + 1, rotation.T @ t @ rotation)
    assert_close(turned, value)
    assert_close(bures_wasserstein(k, t, m, s), value)
    assert_close(bures_wasserstein(3 * m, 9 * s, 3 * k, 9 * t), 9 * value)
    assert_close(bures_wasserstein(m, s, m, s).item(), 0.0, atol=1e-13, rtol=0)


@pytest.mark.parametrize("d", [1, 3])
def test_gradient(d: int):
    inputs = [normal(1, d)[0], normal(2 * d, d, 2), normal(1, d, 1)[0], normal(2 * d, d, 3)]
    moments = lambda m, a, k, b: bures_wasserstein(m, a.T @ a, k, b.T @ b)
    assert gradcheck(moments, [v.requires_grad_() for v in inputs])


@pytest.mark.parametrize(
    "s", [torch.eye(6).double(), covariance(6, 0), torch.diag(torch.tensor([1.0, 1, 1, 4, 4, 9])).double()]
)
def test_equal_covariances_have_no_slope(s: Tensor):
    a, b = s.clone().requires_grad_(), s.clone().requires_grad_()
    bures_wasserstein(zero(6), a, zero(6), b).backward()
    for gradient in (a.grad, b.grad):
        assert gradient is not None
        assert_close(gradient, torch.zeros_like(s), atol=1e-12, rtol=0)


def test_the_gradient_at_repeated_eigenvalues():
    s = (4 * torch.eye(3).double()).requires_grad_()
    bures_wasserstein(zero(3), s, zero(3), torch.eye(3).double()).backward()
    assert s.grad is not None
    assert_close(s.grad, torch.eye(3).double() / 2)  # I - S^(-1/2)
    assert gradcheck(lambda c: bures_wasserstein(zero(3), (c + c.T) / 2, zero(3), torch.eye(3).double()), s)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_singular_covariances(dtype: torch.dtype):
    s, t = covariance(8, 0, rank=3).to(dtype), covariance(8, 1).to(dtype)
    mean = zero(8).to(dtype)
    singular = s.clone().requires_grad_()
    value = bures_wasserstein(mean, singular, mean, t)
    nearly = bures_wasserstein(mean.double(), s.double() + 1e-12 * torch.eye(8), mean.double(), t.double())
    assert_close(value.double(), nearly, rtol=1e-4, atol=0)
    (gradient,) = torch.autograd.grad(value, singular)
    assert gradient.isfinite().all()
    change = s * 1e-3  # within its range the slope is exact: W along S -> (1 + h) S
    ahead, behind = (bures_wasserstein(mean, s + sign * change, mean, t) for sign in (1, -1))
    assert_close((gradient * change).sum(), (ahead - behind) / 2, rtol=2e-2 if dtype == torch.float32 else 1e-5, atol=0)
    nothing = torch.zeros(8, 8, dtype=dtype, requires_grad=True)
    bures_wasserstein(mean, nothing, mean, t).backward()
    assert nothing.grad is not None
    assert nothing.grad.isfinite().all()


# A batch against the prior


@pytest.mark.parametrize(("n", "d"), [(100, 8), (20, 20), (8, 20), (2, 5), (1, 3)])
def test_the_batch_form_is_bures(n: int, d: int):
    x = 2 * normal(n, d) + 1
    cov = torch.cov(x.T, correction=0) if n > 1 else torch.zeros(d, d).double()
    expected = bures_wasserstein(x.mean(0), cov, zero(d), 2.25 * torch.eye(d).double())
    assert_close(bures_to_prior(x, 2.25), expected, rtol=1e-9, atol=0)


def test_the_prior_s_own_moments_cost_nothing_and_have_no_slope():
    x = normal(50, 6)
    x = x - x.mean(0)
    x = (1.5 * x @ torch.linalg.inv(torch.linalg.cholesky(x.T @ x / 50)).T).requires_grad_()
    value = bures_to_prior(x, 2.25)
    (gradient,) = torch.autograd.grad(value, x)
    assert_close(value.item(), 0.0, atol=1e-12, rtol=0)
    assert_close(gradient, torch.zeros_like(x), atol=1e-12, rtol=0)


@pytest.mark.parametrize(("n", "d"), [(12, 4), (4, 4), (4, 9)])
def test_the_gradient_of_the_batch_form(n: int, d: int):
    x = (normal(n, d) + 0.5).requires_grad_()
    assert gradcheck(lambda a: bures_to_prior(a, 1.7), x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_collapsed_codes_have_a_finite_gradient(dtype: torch.dtype):
    for x in (torch.zeros(10, 4, dtype=dtype), torch.ones(3, 7, dtype=dtype)):
        x = x.requires_grad_()
        value = bures_to_prior(x)
        (gradient,) = torch.autograd.grad(value, x)
        assert_close(value.item(), x.shape[1] + x[0].square().sum().item())
        assert gradient.isfinite().all()


@pytest.mark.parametrize(("d", "runs", "bias"), [(8, 400, 0.262), (64, 60, 12.2)])
def test_bias_at_the_prior(d: int, runs: int, bias: float):
    draws = torch.stack([bures_to_prior(normal(100, d, s)) for s in range(runs)])
    assert_close(draws.mean().item(), bias, atol=4 * draws.std().item() / math.sqrt(runs), rtol=2e-3)


@pytest.mark.parametrize(("n", "d"), [(100, 64), (30, 30), (20, 50)])
def test_the_polar_factor_without_a_decomposition(n: int, d: int):
    a = normal(n, d) * torch.logspace(-4, 1, d, dtype=torch.float64)
    u, s, vh = torch.linalg.svd(a, full_matrices=False)
    assert s[-1] < 1e-2 * s[0]
    assert_close(gaussian.polar(a), u @ vh, atol=1e-8, rtol=0)
    assert_close((a * gaussian.polar(a)).sum(), s.sum())
    assert_close((a.float() * gaussian.polar(a.float())).sum(), s.sum().float(), rtol=1e-5, atol=0)
    assert_close(gaussian.polar(a * 0), a * 0)
