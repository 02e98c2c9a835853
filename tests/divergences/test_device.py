"""Every divergence on CUDA: the CPU's values and gradients, and no wait for the host inside a training turn."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from wae import divergences as D


@cache
def directions(device: torch.device, dtype: torch.dtype) -> Tensor:
    return D.random_directions(20, 6, torch.Generator().manual_seed(1), torch.float64).to(device, dtype)


TURN = {
    "mmd": D.mmd,
    "mmd_unbiased": D.mmd_unbiased,
    "sliced": lambda x, y: D.sliced_wasserstein(x, y, directions(x.device, x.dtype)),
    "sliced, unequal sizes": lambda x, y: D.sliced_wasserstein(x[:30], y, directions(x.device, x.dtype)),
    "circular": lambda x, y: D.generalized_sliced_wasserstein(x, y, directions(x.device, x.dtype)),
    "max sliced": D.max_sliced_wasserstein,
    "max circular": D.max_generalized_sliced_wasserstein,
    "max polynomial": lambda x, y: D.max_generalized_sliced_wasserstein(x, y, "polynomial"),
    "max neural": lambda x, y: D.max_generalized_sliced_wasserstein(x, y, "neural"),
    "bures to prior": lambda x, y: D.bures_to_prior(x),
    "sinkhorn": lambda x, y: D.sinkhorn_divergence(x, y, 1.0),
    "jensen-shannon": D.jensen_shannon,
}
REPORT = {"bures": lambda x, y: D.bures_wasserstein(x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T))}


def value_and_gradient(divergence, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    value = divergence(x, y)
    return value.detach(), torch.autograd.grad(value, x)[0]


@pytest.fixture
def samples() -> tuple[Tensor, Tensor]:
    x, y = torch.randn(2, 40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x * torch.tensor([3, 1, 1, 1, 1, 0.5]).double() + 1, y


@pytest.mark.parametrize("name", [*TURN, *REPORT])
def test_single_precision_follows_double(name: str, samples):
    divergence = (TURN | REPORT)[name]
    value, gradient = value_and_gradient(divergence, *samples)
    single, slope = value_and_gradient(divergence, *(s.float() for s in samples))
    assert single.dtype == slope.dtype == torch.float32
    assert single.ndim == 0
    assert_close(single.double(), value, rtol=1e-3, atol=1e-5)
    assert_close(slope.double(), gradient, rtol=0, atol=5e-3 * gradient.abs().max().item())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", [*TURN, *REPORT])
def test_cuda_follows_the_cpu(name: str, samples):
    divergence = (TURN | REPORT)[name]
    value, gradient = value_and_gradient(divergence, *samples)
    there, slope = value_and_gradient(divergence, *(s.cuda() for s in samples))
    assert_close(there.cpu(), value, rtol=1e-6, atol=1e-9)
    assert_close(slope.cpu(), gradient, rtol=0, atol=1e-5 * gradient.abs().max().item())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", TURN)
def test_a_turn_does_not_wait_for_the_host(name: str, samples):
    x, y = (s.float().cuda() for s in samples)
    value_and_gradient(TURN[name], x, y)
    torch.cuda.set_sync_debug_mode("error")
    try:
        value_and_gradient(TURN[name], x, y)
    finally:
        torch.cuda.set_sync_debug_mode("default")
