"""Training and evaluation on a CUDA device; what can be known of them without one is checked on the CPU, unmarked."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.entries import DATASET, MODELS, SETTINGS, entry, equal, images, run
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from wae.divergences import sliced
from wae.errors import UserError
from wae.metrics.evaluate import evaluate
from wae.metrics.features.classifier import fit, save
from wae.metrics.features.extractors import classifier_features
from wae.models.compose import build
from wae.progress import Silent
from wae.runtime import start
from wae.training.checkpoint import Checkpoint
from wae.training.run import Run
from wae.training.train import Trained, train

EVERY = pytest.mark.parametrize("name", MODELS)


def gpu(test: Any) -> Any:
    """A test that needs a CUDA device."""
    return pytest.mark.gpu(pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")(test))


@pytest.fixture
def cuda() -> Iterator[torch.device]:
    """The device as a stage gets it, with deterministic algorithms; and as it was before."""
    yield start("cuda", 1, "test")
    torch.use_deterministic_algorithms(False)


# ---- the same bytes ----


def on(device: torch.device | str, name: str, **kwargs: Any) -> Trained:
    return train(DATASET, entry(name), images(), seed=1, device=device, **kwargs)


@gpu
@EVERY
def test_a_run_on_cuda_equals_itself_bit_for_bit(name: str, cuda: torch.device) -> None:
    once = on(cuda, name)
    torch.manual_seed(12345)
    assert equal(once, on(cuda, name))
    assert not equal(once, train(DATASET, entry(name), images(), seed=2, device=cuda))


class Leave(Silent):
    """Sends this process SIGTERM after five rounds; keeps what it is told."""

    def __init__(self, after: int = 5) -> None:
        self.after, self.notes = after, []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def step(self, done: int, total: int) -> None:
        if done == self.after:
            signal.raise_signal(signal.SIGTERM)


@gpu
@EVERY
def test_a_run_taken_up_again_on_cuda_equals_the_straight_one(name: str, cuda: torch.device, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        on(cuda, name, checkpoint=tmp_path, report=Leave())
    (path,) = tmp_path.glob("*.pt")
    again = Leave(after=-1)
    assert equal(on(cuda, name, checkpoint=tmp_path, report=again), on(cuda, name))
    assert [note for note in again.notes if note.startswith(f"going on from {path}, ")] == again.notes[-1:]


@gpu
def test_images_that_stay_on_the_host_give_the_same_run(cuda: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    resident = on(cuda, "wae-mmd")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (0, 1))
    assert Run(DATASET, entry("wae-mmd"), images(), seed=1, device=cuda).images.device.type == "cpu"
    assert equal(on(cuda, "wae-mmd"), resident)


@gpu
@pytest.mark.parametrize(
    "changes", [{"precision": "bfloat16"}, {"compile": True}, {"precision": "bfloat16", "compile": True}]
)
def test_a_hastened_run_equals_itself_and_loses_nearly_as_much(cuda: torch.device, changes: dict[str, Any]) -> None:
    once, again = (train(DATASET, entry("wae-mmd", **changes), images(), seed=1, device=cuda) for _ in range(2))
    assert equal(once, again)
    plain = on(cuda, "wae-mmd").history[0]
    np.testing.assert_allclose(list(once.history[0].values()), list(plain.values()), rtol=0.05, atol=0.02)


@gpu
def test_a_checkpoint_of_the_cpu_is_ignored_on_cuda_and_said_so(cuda: torch.device, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        on("cpu", "wae-mmd", checkpoint=tmp_path, report=Leave())
    report = Leave(after=-1)
    assert equal(on(cuda, "wae-mmd", checkpoint=tmp_path, report=report), on(cuda, "wae-mmd"))
    assert any("device was 'cpu' and is 'cuda'" in note for note in report.notes)


def test_a_checkpoint_names_its_device(tmp_path: Path) -> None:
    left, other = run("wae-mmd"), run("wae-mmd")
    other.device = torch.device("cuda")
    Checkpoint(tmp_path, left.basis(images()), 0.0).save(left)
    (note,) = Checkpoint(tmp_path, other.basis(images()), 0.0).resume(other)
    assert "device was 'cpu' and is 'cuda'" in note


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_device_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"compute\.device is 'cuda', but torch finds no CUDA device"):
        start("cuda", 1, "test")


# ---- as on the CPU ----


@gpu
@EVERY
def test_a_reconstruction_on_cuda_is_that_of_the_cpu(name: str, cuda: torch.device) -> None:
    x = torch.from_numpy(images()).float() / 255
    model = build(DATASET, entry(name), torch.Generator().manual_seed(0))
    with torch.no_grad(), torch.backends.cudnn.flags(allow_tf32=False):
        here = model.decode(model.encode(x))
        model.to(cuda)
        assert_close(model.decode(model.encode(x.to(cuda))).cpu(), here, rtol=0, atol=1e-5)


class Frozen(torch.nn.Module):
    """A model whose samples do not depend on the device's random numbers."""

    def __init__(self, model: torch.nn.Module, z: torch.Tensor) -> None:
        super().__init__()
        self.model, self.z = model, z
        self.encode, self.decode = model.encode, model.decode

    def generate(self, n: int, generator: torch.Generator) -> torch.Tensor:
        self.z, now = self.z[n:], self.z[:n]
        return self.model.decode(now)


def evaluated(device: torch.device | str, classifier: Path) -> Any:
    model = build(DATASET, entry("wae-mmd"), torch.Generator().manual_seed(0)).to(device)
    frozen = Frozen(model, torch.randn(40, 3, generator=torch.Generator().manual_seed(1)).to(device))
    features = {"classifier": classifier_features(classifier, device)}
    return evaluate(frozen, images(), images(), features, SETTINGS, device=device, generator=torch.Generator(device))


@gpu
def test_an_evaluation_on_cuda_is_that_of_the_cpu(cuda: torch.device, tmp_path: Path) -> None:
    settings = {"epochs": 1, "batch": 10, "lr": 0.002, "width": 4, "features": 8, "seed": 3}
    save(tmp_path / "c", fit(images(), np.arange(45, dtype=np.uint8)[:, None] % 3, settings, "cpu"))
    here, there = evaluated("cpu", tmp_path / "c"), evaluated(cuda, tmp_path / "c")
    for name in ("fd_classifier", "sharpness", "reconstruction_mse"):
        # Networks run with TF32 convolutions, right to about 1e-3 each.
        assert there.metrics[name].value == pytest.approx(here.metrics[name].value, rel=1e-2), name
    for name, array in here.images.items():
        assert np.abs(array.astype(int) - there.images[name]).max() <= 1, name


def test_evaluations_of_frozen_samples_repeat(tmp_path: Path) -> None:
    settings = {"epochs": 1, "batch": 10, "lr": 0.002, "width": 4, "features": 8, "seed": 3}
    save(tmp_path / "c", fit(images(), np.arange(45, dtype=np.uint8)[:, None] % 3, settings, "cpu"))
    once, again = evaluated("cpu", tmp_path / "c"), evaluated("cpu", tmp_path / "c")
    assert once.report() == again.report()
    assert once.metrics["fd_classifier"].value > 0


# ---- no wait for the host ----


def begun(one: Run) -> Run:
    """The run after the first round of an epoch: the order of an epoch and its means are the host's."""
    while one._warming or one._order is None:
        one.advance()
    return one


@gpu
@EVERY
def test_a_round_on_cuda_does_not_wait_for_the_host(name: str, cuda: torch.device) -> None:
    one = begun(Run(DATASET, entry(name), images(95), seed=1, device=cuda))
    torch.cuda.set_sync_debug_mode("error")
    try:
        while one._round + 1 < one.rounds:
            one.advance()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert one._round == 3


WAITS = (
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "equal",
    "is_nonzero",
    "lift_fresh",
    "_unique2",
    "unique_dim",
)


class Waits(TorchDispatchMode):
    """Notes every operation that would make a GPU and its host wait for each other."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function.overloadpacket.__name__
        masks = name in ("index", "index_put") and any(i is not None and i.dtype == torch.bool for i in args[1])
        if name in WAITS or masks:
            self.seen.append(name)
        return function(*args, **(kwargs or {}))


@contextmanager
def watched() -> Iterator[list[str]]:
    with Waits() as mode:
        yield mode.seen


@EVERY
def test_a_round_has_no_operation_that_waits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # On the CPU NumPy sorts, whose arrays come in as constants; on a device torch does.
    monkeypatch.setattr(sliced, "_ascending", lambda t: t.sort(-1).values)
    one = begun(Run(DATASET, entry(name), images(95), seed=1, device="cpu"))
    with watched() as seen:
        one.advance()
    assert one._round == 2
    assert seen == []


@pytest.mark.parametrize(
    "wait", [lambda x: x.sum().item(), lambda x: x[x > 0], lambda x: x + torch.tensor([1.0]), lambda x: bool(x[0])]
)
def test_the_watch_sees_a_wait(wait: Any) -> None:
    with watched() as seen:
        wait(torch.randn(3))
    assert seen
