"""MMD: the reference numbers of algorithm 2, a direct loop over pairs, and the laws of an unbiased estimate."""

from __future__ import annotations

import math

import pytest
import torch
from geomloss import SamplesLoss
from torch import Tensor
from torch.autograd import gradcheck
from torch.testing import assert_close

from wae.divergences import KERNELS, SCALES, blocks, mmd, mmd_unbiased


def normal(n: int, d: int, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def waves() -> tuple[Tensor, Tensor]:
    i, j = torch.arange(5, dtype=torch.float64)[:, None], torch.arange(3, dtype=torch.float64)
    return torch.sin(1 + i + 2 * j), torch.cos(0.5 * i - j)


def pair_sum(x: Tensor, y: Tensor, name: str, diagonal: bool) -> float:
    """The definition: one kernel value at a time."""
    total = 0.0
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            r = float((a - b).square().sum())
            for c in (2 * x.shape[1] * scale for scale in SCALES):
                total += (diagonal or i != j) * (c / (c + r) if name == "imq" else math.exp(-r / c))
    return total


def test_reference_values():
    x, y = waves()
    assert_close(mmd(x, y).item(), 0.8695669466, atol=1e-10, rtol=0)
    assert_close(mmd_unbiased(x, y).item(), 1.1740588805, atol=1e-10, rtol=0)
    assert_close(mmd(x, x).item(), -1.0930517956, atol=1e-10, rtol=0)
    assert_close(mmd_unbiased(x, x).item(), 0.0, atol=1e-14, rtol=0)


def test_the_biased_statistic_is_another_number():
    x, y = waves()
    within, cross = pair_sum(x, x, "imq", True) + pair_sum(y, y, "imq", True), pair_sum(x, y, "imq", True)
    biased = (within - 2 * cross) / 25
    assert_close(biased, 1.7571346608, atol=1e-10, rtol=0)
    # From the biased statistic to algorithm 2: drop the diagonal's 2 * 7 n, divide by n(n-1), not n^2.
    assert_close(mmd(x, y).item(), (within - 70) / 20 - 2 * cross / 25, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", KERNELS)
def test_direct_loop(name: str):
    x, y, z = normal(9, 4, 0), normal(6, 4, 1) * 2 + 1, normal(9, 4, 2)
    within = pair_sum(x, x, name, False) / 72 + pair_sum(y, y, name, False) / 30
    assert_close(mmd(x, y, name).item(), within - 2 * pair_sum(x, y, name, True) / 54, atol=1e-12, rtol=0)
    paired = pair_sum(x, x, name, False) + pair_sum(z, z, name, False) - 2 * pair_sum(x, z, name, False)
    assert_close(mmd_unbiased(x, z, name).item(), paired / 72, atol=1e-12, rtol=0)


def test_rbf_against_geomloss():
    # geomloss: the biased statistic, halved, with k = exp(-r / 2 blur^2).
    x, y, n, d = normal(40, 3), normal(40, 3, 1) + 0.5, 40, 3
    biased = 2 * SamplesLoss("gaussian", blur=d**0.5)(x, y)
    ones = (
        torch.exp(-torch.cdist(x, x).square() / (2 * d)).sum() + torch.exp(-torch.cdist(y, y).square() / (2 * d)).sum()
    )
    ours = mmd(x, y, "rbf", scales=(1.0,))
    assert_close(biased - ones / n**2 + (ones - 2 * n) / (n * (n - 1)), ours, atol=1e-12, rtol=0)


def test_keeping_the_diagonal_would_add_this_much():
    x, y = normal(100, 8), normal(100, 8, 1)
    kept = sum(pair_sum(s, s, "imq", True) / 9900 for s in (x, y)) - 2 * pair_sum(x, y, "imq", True) / 10_000
    assert_close(kept - mmd(x, y).item(), 0.14141, atol=5e-6, rtol=0)


def test_no_bias_and_the_noise_floor():
    draws = torch.stack([mmd(normal(100, 8, 2 * s), normal(100, 8, 2 * s + 1)) for s in range(400)])
    assert abs(draws.mean()) < 4 * 0.0127 / 20
    assert_close(draws.std().item(), 0.0127, atol=0.0015, rtol=0)
    assert (draws < 0).any()


def test_collapsed_encoder():
    draws = torch.stack([mmd(torch.zeros(1000, 8, dtype=torch.float64), normal(1000, 8, s)) for s in range(20)])
    assert_close(draws.mean().item(), 1.833780, atol=4 * draws.std().item() / 20**0.5, rtol=0)
    assert draws.std() < 0.02


@pytest.mark.parametrize("estimate", [mmd, mmd_unbiased])
def test_invariances(estimate):
    x, y = normal(20, 5), 2 * normal(20, 5, 1)
    rotation = torch.linalg.qr(normal(5, 5, 2)).Q
    value = estimate(x, y)
    assert_close(estimate(x @ rotation + 3, y @ rotation + 3), value, atol=1e-12, rtol=0)
    assert_close(estimate(y, x), value, atol=1e-12, rtol=0)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    assert_close(estimate(x[order], y[order]), value, atol=1e-12, rtol=0)
    assert_close(estimate(3 * x, 3 * y, prior_variance=9.0), value, atol=1e-12, rtol=0)
    assert_close(sum(estimate(x, y, scales=(s,)) for s in SCALES), value, atol=1e-12, rtol=0)


def test_only_algorithm_2_ignores_how_samples_are_paired():
    x, y = normal(20, 5), normal(20, 5, 1)
    assert_close(mmd(x.flip(0), y), mmd(x, y), atol=1e-13, rtol=0)
    assert abs(mmd_unbiased(x.flip(0), y) - mmd_unbiased(x, y)) > 1e-4


@pytest.mark.parametrize("estimate", [mmd, mmd_unbiased])
@pytest.mark.parametrize("name", KERNELS)
def test_gradient(estimate, name: str):
    x, y = normal(6, 3).requires_grad_(), normal(6, 3, 1).requires_grad_()
    assert gradcheck(lambda a, b: estimate(a, b, name), (x, y))


@pytest.mark.parametrize("estimate", [mmd, mmd_unbiased])
def test_blocks_change_nothing(estimate, monkeypatch):
    x, y = normal(23, 4).requires_grad_(), normal(23, 4, 1)
    whole = estimate(x, y)
    (gradient,) = torch.autograd.grad(whole, x)
    monkeypatch.setitem(blocks.LIMIT, "cpu", 100)
    assert_close(estimate(x, y), whole, atol=1e-13, rtol=0)
    assert_close(torch.autograd.grad(estimate(x, y), x)[0], gradient, atol=1e-13, rtol=0)


def test_single_precision_far_from_the_origin():
    x, y = normal(50, 8), normal(50, 8, 1)
    far = mmd((x + 100).float(), (y + 100).float())
    assert far.dtype == torch.float32
    assert_close(far.double(), mmd(x, y), atol=1e-4, rtol=0)


@pytest.mark.parametrize("estimate", [mmd, mmd_unbiased])
@pytest.mark.parametrize("shift", [0, 1e4])
def test_single_precision_however_far_the_samples_are(estimate, shift: float):
    """x at 1e4 and y there too, or at 0. On multiples of 2^-10, so that moving them rounds nothing."""
    x, y = ((sample * 1024).round() / 1024 for sample in (normal(50, 8), 2 * normal(50, 8, 1)))
    x, y = (x + 1e4).requires_grad_(), y + shift
    expected = estimate(x, y)
    (slope,) = torch.autograd.grad(expected, x)
    far = x.detach().float().requires_grad_()
    value = estimate(far, y.float())
    assert_close(value.double(), expected, rtol=1e-4, atol=0)
    (found,) = torch.autograd.grad(value, far)
    assert_close(found.double(), slope, rtol=0, atol=1e-4 * slope.abs().max().item())


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="received 4 and 5"):
        mmd_unbiased(normal(4, 3), normal(5, 3))
    for x, y in [(normal(4, 3), normal(4, 2)), (normal(4, 3)[0], normal(4, 3)), (normal(1, 3), normal(4, 3))]:
        with pytest.raises(ValueError, match="expected samples"):
            mmd(x, y)
