"""Sliced distances: exact transport on the line, closed forms over slices."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import ot
import pytest
import torch
from support.project import ROOT
from torch import Tensor
from torch.autograd import gradcheck
from torch.testing import assert_close

from wae.divergences import (
    DEFINING,
    Circular,
    Linear,
    Neural,
    Polynomial,
    blocks,
    generalized_sliced_wasserstein,
    max_sliced_wasserstein,
    random_directions,
    sliced_wasserstein,
    slices,
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


# On the line


@pytest.mark.parametrize(("n", "m"), [(40, 40), (40, 25), (7, 30), (1, 5), (6, 4)])
@pytest.mark.parametrize("p", [1, 2, 3, 1.5])
def test_the_line_against_exact_transport(n: int, m: int, p: float):
    x, y = normal(n, 3), 2 * normal(m, 3, 1) + 0.3
    expected = [ot.emd2_1d(a.numpy(), b.numpy(), metric="minkowski", p=p) for a, b in zip(x.T, y.T, strict=True)]
    if p != 1:  # POT takes the root of its Minkowski cost
        cost = [np.abs(a[:, None] - b).numpy() ** p for a, b in zip(x.T, y.T, strict=True)]
        expected = [ot.emd2([], [], c) for c in cost]
    assert_close(wasserstein_1d(x, y, p), torch.tensor(expected, dtype=torch.float64), atol=1e-12, rtol=1e-12)
    assert_close(wasserstein_1d(x, y, p).numpy(), ot.wasserstein_1d(x.numpy(), y.numpy(), p=p), atol=1e-10, rtol=1e-10)


def test_sizes_that_share_steps():
    x = normal(6, 2)
    assert_close(wasserstein_1d(x, x.repeat_interleave(3, 0)), torch.zeros(2).double(), atol=0, rtol=0)
    assert_close(wasserstein_1d(x, normal(6, 2, 1).repeat(4, 1)), wasserstein_1d(x, normal(6, 2, 1)))


def test_one_column_is_sorted_too():
    x = torch.tensor([[3.0], [1.0], [2.0]])
    assert wasserstein_1d(x, torch.tensor([[1.0], [2.0], [3.0]])).tolist() == [0.0]


def test_the_noise_floor():
    for n, floor, runs in [(50, 0.1040, 4000), (100, 0.0551, 4000), (500, 0.0121, 2000)]:
        draws = wasserstein_1d(normal(n, runs, n), normal(n, runs, n + 1))
        assert_close(draws.mean().item(), floor, atol=4 * draws.std().item() / math.sqrt(runs) + 5e-5, rtol=0)


@pytest.mark.parametrize("m", [6, 4])
@pytest.mark.parametrize("p", [1, 2, 1.5])
def test_the_gradient_on_the_line(m: int, p: float):
    x, y = normal(6, 2).requires_grad_(), normal(m, 2, 1).requires_grad_()
    assert gradcheck(lambda a, b: wasserstein_1d(a, b, p), (x, y))


def test_a_sort_with_a_gradient_is_the_same_sort():
    x, y = normal(50, 3), normal(50, 3, 1)
    assert_close(wasserstein_1d(x.clone().requires_grad_(), y).detach(), wasserstein_1d(x, y), atol=0, rtol=0)


# Over directions


def test_directions_are_uniform_and_drawn_from_the_generator_alone():
    state = torch.random.get_rng_state()
    theta = random_directions(20_000, 3, generator(0), torch.float64)
    assert torch.equal(state, torch.random.get_rng_state())
    assert_close(theta.norm(dim=1), torch.ones(20_000, dtype=torch.float64))
    assert_close(theta.T @ theta / 20_000, torch.eye(3, dtype=torch.float64) / 3, atol=0.01, rtol=0)
    assert torch.equal(theta, random_directions(20_000, 3, generator(0), torch.float64))
    assert random_directions(2, 3, generator(0)).dtype == torch.float32


@pytest.mark.parametrize("d", [2, 5, 64])
def test_a_shift_costs_its_square_over_d(d: int):
    x, t = normal(30, d), normal(1, d, 1)
    basis = torch.linalg.qr(normal(d, d, 2)).Q
    assert_close(sliced_wasserstein(x, x + t, basis), t.square().sum() / d)
    theta = directions(7, d)
    assert_close(sliced_wasserstein(x, x + t, theta, p=1), (theta @ t.T).abs().mean())
    assert_close(sliced_wasserstein(x.float(), (x + t).float(), basis.float()), (t.square().sum() / d).float())


def test_a_scale_costs_its_difference_squared():
    x = exact_moments(400, 6, 0)
    assert_close(sliced_wasserstein(x, 3 * x, directions(50, 6)), torch.tensor(4.0).double())


def test_sliced_against_pot():
    x, y, theta = normal(60, 5), 2 * normal(60, 5, 1) + 1, directions(30, 5)
    for a, b, p in [(x, y, 2), (x, y[:41], 2), (x, y, 1)]:
        expected = ot.sliced_wasserstein_distance(a.numpy(), b.numpy(), p=p, projections=theta.T.numpy()) ** p
        assert_close(sliced_wasserstein(a, b, theta, p).item(), expected, atol=1e-10, rtol=1e-10)


def test_sliced_is_at_most_the_whole_distance_over_d():
    x, y, d = normal(40, 4), 2 * normal(40, 4, 1) + 1, 4
    whole = ot.emd2([], [], ot.dist(x.numpy(), y.numpy()))
    assert sliced_wasserstein(x, y, torch.eye(d, dtype=torch.float64)) <= whole / d
    assert max_sliced_wasserstein(x, y) <= whole


@pytest.mark.parametrize("name", DEFINING)
def test_invariances(name: str):
    defining = DEFINING[name]()
    x, y, theta = normal(30, 4), 2 * normal(20, 4, 1) + 1, directions(12, defining.size(4))
    value = generalized_sliced_wasserstein(x, y, theta, name)
    order = torch.randperm(30, generator=generator(0))
    assert_close(generalized_sliced_wasserstein(x[order], y, theta, name), value)
    assert_close(generalized_sliced_wasserstein(y, x, theta, name), value)
    assert generalized_sliced_wasserstein(x, x, theta, name) == 0


def test_moving_both_samples():
    x, y, theta = normal(30, 4), 2 * normal(30, 4, 1), directions(12, 4)
    rotation = torch.linalg.qr(normal(4, 4, 2)).Q
    moved = (x @ rotation.T + 5, y @ rotation.T + 5)
    assert_close(sliced_wasserstein(*moved, theta @ rotation.T), sliced_wasserstein(x, y, theta))
    assert_close(max_sliced_wasserstein(*moved, steps=50), max_sliced_wasserstein(x, y, steps=50), rtol=1e-6, atol=0)
    turned = generalized_sliced_wasserstein(x @ rotation.T, y @ rotation.T, theta @ rotation.T, "circular")
    assert_close(turned, generalized_sliced_wasserstein(x, y, theta, "circular"))
    assert abs(generalized_sliced_wasserstein(x + 5, y + 5, theta, "circular") / turned - 1) > 0.01


# Defining functions


def test_linear_is_every_family_s_plain_case():
    x, y, theta = normal(30, 4), 2 * normal(25, 4, 1), directions(12, 4)
    plain = slices(x, y, theta)
    assert_close(slices(x, y, theta, Polynomial(degree=1)), plain)
    net = Neural(units=6, slope=0.2)
    expected = plain * (1.2 * 3 / 12) ** 2  # three pairs of units, each (1 + slope) t; the parameters' norm is sqrt(12)
    assert_close(slices(x, y, net.lift(theta), net), expected)
    far = slices(x, y, theta, Circular(radius=1e6))
    assert_close(far, plain, rtol=1e-3, atol=0)


def test_circular_is_the_distance_to_the_centre():
    x, theta = normal(30, 4), directions(5, 4)
    expected = torch.stack([(x - 1.5 * t).norm(dim=1) for t in theta])
    assert_close(Circular(radius=1.5)(x, theta), expected)


@pytest.mark.parametrize("degree", [1, 3, 5])
def test_polynomial_has_all_monomials(degree: int):
    x, line = normal(10, 3), directions(2, 3)
    assert Polynomial(degree).size(3) == {1: 3, 3: 10, 5: 21}[degree]
    lifted = Polynomial(degree).lift(line)
    power = Polynomial(degree)(x, lifted)
    scale = (power / (line @ x.T) ** degree)[:, :1]
    assert_close(power, scale * (line @ x.T) ** degree)
    assert_close(Polynomial(degree)(-x, lifted), -power)
    each = Polynomial(degree)(torch.tensor([[2.0, 3.0, 5.0]]), torch.eye(Polynomial(degree).size(3)))
    powers = [(a, b, degree - a - b) for a in range(degree + 1) for b in range(degree + 1 - a)]
    assert sorted(each[:, 0].tolist()) == sorted(2**a * 3**b * 5**c for a, b, c in powers)


@pytest.mark.parametrize("degree", [0, 2, -1])
def test_even_degrees_are_refused(degree: int):
    with pytest.raises(ValueError, match="only odd degrees"):
        Polynomial(degree)


@pytest.mark.parametrize("defining", [Linear(), Circular(), Circular(2.0), Polynomial(3), Neural(4)], ids=repr)
def test_gradient(defining):
    x, y = normal(6, 3).requires_grad_(), normal(5, 3, 1).requires_grad_()
    theta = directions(4, defining.size(3)).requires_grad_()
    assert gradcheck(lambda a, b, t: generalized_sliced_wasserstein(a, b, t, defining), (x, y, theta))


def test_a_point_at_the_centre_has_a_finite_gradient():
    theta = directions(1, 3)
    x = theta.clone().requires_grad_()
    slices(x, normal(4, 3), theta, "circular").sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_blocks_change_nothing(monkeypatch):
    x, y = normal(150, 4).requires_grad_(), normal(67, 4, 1)
    for defining in (Linear(), Circular(), Polynomial(3), Neural(4)):
        theta = directions(11, defining.size(4))
        whole = generalized_sliced_wasserstein(x, y, theta, defining)
        (gradient,) = torch.autograd.grad(whole, x)
        with monkeypatch.context() as patch:
            patch.setitem(blocks.LIMIT, "cpu", 100)
            assert_close(generalized_sliced_wasserstein(x, y, theta, defining), whole)
            again = generalized_sliced_wasserstein(x, y, theta, defining)
            assert_close(torch.autograd.grad(again, x)[0], gradient)


# Not `ru_maxrss`: a process starts with the one of whoever started it, here pytest's.
PEAK = """
import re, torch
from pathlib import Path
from wae.divergences import random_directions, sliced_wasserstein

def peak(n):
    draws = torch.Generator().manual_seed(0)
    x, y = (torch.randn(n, 64, generator=draws) for _ in range(2))
    sliced_wasserstein(x.requires_grad_(), y, random_directions(1000, 64, draws)).backward()
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

warm = peak(200)
print(peak(5000) - warm)
"""


def test_memory_is_that_of_a_block():
    """At n = m = 5000, 1000 slices: value and gradient. 4 (n + m) k numbers are 153 MiB, 4 LIMIT are 4, codes 8."""
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(done.stdout) < 60 << 10, "KiB"


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"directions \(k, 3\)"):
        sliced_wasserstein(normal(4, 3), normal(4, 3), directions(5, 2))
    with pytest.raises(ValueError, match="expected samples"):
        sliced_wasserstein(normal(4, 3), normal(4, 2), directions(5, 3))
