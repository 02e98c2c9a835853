"""Batch norm: torch's own bits in training, and running moments that are right from the first round on."""

from __future__ import annotations

import pytest
import torch
from support.entries import DATASET, entry, images, run
from torch import nn
from torch.testing import assert_close

from wae.models.batchnorm import BatchNorm
from wae.models.compose import build
from wae.training.train import train

SHAPES = pytest.mark.parametrize(("shape", "theirs"), [((7, 5), nn.BatchNorm1d), ((3, 5, 4, 6), nn.BatchNorm2d)])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@SHAPES
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_in_training_outputs_and_gradients_have_the_bits_of_torchs(
    shape: tuple[int, ...], theirs: type[nn.Module], dtype: torch.dtype
) -> None:
    found = []
    for norm in (BatchNorm(5), theirs(5)):
        with torch.no_grad():
            norm.weight.copy_(torch.rand(5, generator=generator(1)))
            norm.bias.copy_(torch.rand(5, generator=generator(2)))
        x = torch.randn(shape, generator=generator()).to(dtype).requires_grad_()
        for _ in range(3):
            out = norm(x)
        out.float().pow(3).sum().backward()
        found.append((out, x.grad, norm.weight.grad, norm.bias.grad, norm.num_batches_tracked))
    assert all(torch.equal(ours, torchs) for ours, torchs in zip(*found))


@SHAPES
def test_running_moments_are_those_of_the_first_ten_batches_and_then_keep_nine_tenths(
    shape: tuple[int, ...], theirs: type[nn.Module]
) -> None:
    norm = BatchNorm(5).double()
    mean, variance = torch.zeros(5, dtype=torch.float64), torch.ones(5, dtype=torch.float64)
    for t in range(1, 26):
        x = torch.randn(shape, generator=generator(t), dtype=torch.float64) * 0.01 + 3
        flat = x.transpose(0, 1).flatten(1)
        momentum = max(0.1, 1 / t)
        mean = (1 - momentum) * mean + momentum * flat.mean(1)
        variance = (1 - momentum) * variance + momentum * flat.var(1)
        norm(x)
        # The momentum is a float32.
        assert_close(norm.running_mean, mean, rtol=1e-7, atol=0)
        assert_close(norm.running_var, variance, rtol=1e-6, atol=0)


@SHAPES
def test_evaluation_has_the_bits_of_torchs_with_the_same_moments(
    shape: tuple[int, ...], theirs: type[nn.Module]
) -> None:
    x, norm, other = torch.randn(shape, generator=generator()), BatchNorm(5), theirs(5)
    norm(x)
    assert norm.state_dict().keys() == other.state_dict().keys()
    other.load_state_dict(norm.state_dict())
    assert torch.equal(norm.eval()(x), other.eval()(x))


@pytest.mark.parametrize("name", ["vae", "wae-mmd", "ae"])
def test_few_rounds_are_evaluated_as_the_network_that_was_trained(name: str) -> None:
    """With torch's running moments the evaluated network sees only their initial values, and is all grey."""
    data = images(40)
    options = entry(name, epochs=4, pretraining=None, noise=0.0)
    model = build(DATASET, options)
    model.load_state_dict(train(DATASET, options, data, seed=1, device="cpu").state)
    x = torch.tensor(data) / 255
    with torch.no_grad():
        evaluated = model.eval().decode(model.encode(x)).std(0).mean()
        trained = model.train().decode(model.encode(x)).std(0).mean()
    assert 0.5 < evaluated / trained < 2


def test_trained_weights_do_not_depend_on_running_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = run("acai-wae-mmd")
    monkeypatch.setattr("wae.models.nets.BatchNorm", nn.BatchNorm2d)
    torchs = run("acai-wae-mmd")
    while not ours.done:
        ours.advance()
        torchs.advance()
    assert ours.history == torchs.history
    states = ours.weights(), torchs.weights()
    assert states[0].keys() == states[1].keys()
    other = {key for key in states[0] if not torch.equal(states[0][key], states[1][key])}
    assert other
    assert all(key.endswith(("running_mean", "running_var")) for key in other)


def test_a_single_value_a_channel_is_refused_in_training_and_taken_in_evaluation() -> None:
    norm = BatchNorm(5)
    with pytest.raises(ValueError, match="batch is 1, and batch norm needs a batch of at least 2"):
        norm(torch.ones(1, 5))
    assert norm.num_batches_tracked == 0
    assert norm.eval()(torch.ones(1, 5)).shape == (1, 5)
