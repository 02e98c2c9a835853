"""Networks in fewer bits or compiled: what changes, by how much, and what stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.entries import AUTOENCODERS, DATASET, MODELS, entry, equal, images, run
from torch import nn
from torch.testing import assert_close

from wae.errors import UserError
from wae.models.compose import build
from wae.models.nets import perceptron
from wae.training.hasten import hasten
from wae.training.run import fits, resident
from wae.training.train import train

EVERY = pytest.mark.parametrize("name", MODELS)


def network() -> nn.Sequential:
    torch.manual_seed(1)
    return perceptron(6, 2, 32, 3)


def test_fewer_bits_are_those_of_autocast_and_what_returns_is_float32() -> None:
    plain, rounded, x = network(), network(), torch.randn(50, 6)
    hasten([rounded], precision="bfloat16")
    with torch.autocast("cpu", torch.bfloat16):
        expected = plain(x)
    found = rounded(x)
    assert (expected.dtype, found.dtype) == (torch.bfloat16, torch.float32)
    assert torch.equal(found, expected.float())
    assert not torch.equal(found, plain(x))
    assert_close(found, plain(x), rtol=0, atol=plain(x).abs().max().item() / 64)  # 8 bits, three layers


def test_gradients_and_weights_keep_their_bits() -> None:
    rounded = network()
    hasten([rounded], precision="bfloat16")
    rounded(torch.randn(50, 6)).square().mean().backward()
    assert {p.dtype for p in rounded.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in rounded.parameters() if p.grad is not None} == {torch.float32}
    assert rounded.state_dict().keys() == network().state_dict().keys()


def terms(name: str, **changes: object) -> np.ndarray:
    """The mean terms of one epoch."""
    one = run(name, epochs=1, **changes)
    while not one.done:
        one.advance()
    assert {weight.dtype for weight in one.weights().values()} <= {torch.float32, torch.int64}
    return np.array(list(one.history[0].values()))


@EVERY
def test_a_model_trains_in_bfloat16_to_nearly_the_same_loss(name: str) -> None:
    exact, rounded = terms(name), terms(name, precision="bfloat16")
    np.testing.assert_array_equal(terms(name, precision="float32"), exact)
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(rounded, exact, rtol=0.05, atol=0.02)


def test_a_run_in_bfloat16_equals_itself_and_has_a_checkpoint_of_its_own() -> None:
    changed = entry("wae-gan", precision="bfloat16")
    once, again = (train(DATASET, changed, images(), seed=1, device="cpu") for _ in range(2))
    assert equal(once, again)
    other = run("wae-gan", precision="bfloat16")
    assert other.basis(images()) != run("wae-gan").basis(images())


@EVERY
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_encoder_and_decoder_are_compiled_and_no_critic(
    name: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda module: compiled.append(module))
    model = run(name, compile=True, precision=precision).model
    expected = ["encoder", "decoder"] if name in AUTOENCODERS else ["generator"]
    names = {id(module): path.split(".")[-1] for path, module in model.named_modules()}
    assert [names[id(module)] for module in compiled] == expected
    run(name, compile=False, precision=precision)
    run(name)
    assert len(compiled) == len(expected)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_compiled_model_trains_as_it_would_otherwise(precision: str) -> None:
    # Not the weights: Adam makes a step of full length of what is rounded to other than 0 before batch norm.
    compiled, plain = (terms("wae-mmd", compile=compile, precision=precision) for compile in (True, False))
    np.testing.assert_allclose(compiled, plain, rtol=1e-4 if precision == "float32" else 0.01)


def test_without_a_compiler_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UserError, match=r"compile is true, but there is no C\+\+ compiler no-such-compiler"):
        run("vae", compile=True)


def test_a_model_is_built_without_regard_to_how_it_trains() -> None:
    plain, hastened = (
        build(DATASET, entry("vae", **of), torch.Generator().manual_seed(1))
        for of in ({}, {"precision": "bfloat16", "compile": True})
    )
    codes = torch.randn(4, 3)
    assert torch.equal(plain.decode(codes), hastened.decode(codes))  # type: ignore[operator]


@pytest.mark.parametrize(("free", "expected"), [(99, False), (100, True)])
def test_images_stay_on_the_host_unless_they_leave_as_much_room_again(
    monkeypatch: pytest.MonkeyPatch, free: int, expected: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 1000))
    assert fits(50, torch.device("cuda")) is expected
    assert fits(50, torch.device("cpu"))


def test_images_that_do_not_fit_share_the_array_s_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10, 1000))
    data = images()
    kept = resident(data, [1, 8, 8], torch.device("cuda"))
    assert kept.device.type == "cpu"
    assert kept.data_ptr() == data.ctypes.data
