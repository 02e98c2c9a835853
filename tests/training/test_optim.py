"""Optimisers, two steps of each by hand; the epochs after which the shipped schedules change the rate."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest
import torch
from support.entries import DATASET, entry, images
from support.project import ROOT
from torch import nn
from torch.testing import assert_close

from wae.config.params import PARAMS
from wae.config.yaml import Document
from wae.models.game import Player
from wae.pipeline.profile import Profile
from wae.training.optim import OPTIMISERS, cosine, optimiser, steps, warmup
from wae.training.run import Run
from wae.training.train import train

# ---- optimisers ----

START = 7.0
GRADIENTS = (3.0, -0.5)  # of the first and the second step


def adam(lr: float, betas: tuple[float, float]) -> list[float]:
    """Kingma and Ba 2015, algorithm 1: where each step leads from the one before."""
    m = v = 0.0
    moves = []
    for t, g in enumerate(GRADIENTS, 1):
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        moves.append(-lr * m / (1 - betas[0] ** t) / (sqrt(v / (1 - betas[1] ** t)) + 1e-8))
    return moves


def adamw(lr: float, betas: tuple[float, float], weight_decay: float) -> list[float]:
    """Loshchilov and Hutter 2019, algorithm 2: Adam's moves, and lr * weight_decay of the weight itself taken off."""
    x, moves = START, []
    for move in adam(lr, betas):
        moves.append(move - lr * weight_decay * x)
        x += moves[-1]
    return moves


def rmsprop(lr: float, alpha: float = 0.99) -> list[float]:
    """A decaying mean square that starts at 0, without correction and without momentum."""
    v = 0.0
    moves = []
    for g in GRADIENTS:
        v = alpha * v + (1 - alpha) * g * g
        moves.append(-lr * g / (sqrt(v) + 1e-8))
    return moves


BY_HAND: list[tuple[str, Callable[..., list[float]], dict[str, Any]]] = [
    ("adam", adam, {"lr": 0.1, "betas": (0.5, 0.999)}),
    ("adam", adam, {"lr": 0.1, "betas": (0.9, 0.99)}),
    ("adamw", adamw, {"lr": 0.1, "betas": (0.5, 0.999), "weight_decay": 0.0}),
    ("adamw", adamw, {"lr": 0.1, "betas": (0.9, 0.99), "weight_decay": 0.3}),
    ("rmsprop", rmsprop, {"lr": 0.1}),
    ("rmsprop", rmsprop, {"lr": 0.1, "alpha": 0.6}),
]


@pytest.mark.parametrize(("kind", "by_hand", "options"), BY_HAND)
def test_two_steps_by_hand(kind: str, by_hand: Callable[..., list[float]], options: dict[str, Any]) -> None:
    x = nn.Parameter(torch.tensor(START, dtype=torch.float64))
    settings = {"kind": kind, **options, "schedule": {"kind": "constant"}}
    one = optimiser(settings, Player("player", (x,), lambda batch: {}))
    found = []
    for gradient in GRADIENTS:
        before, x.grad = x.item(), torch.full_like(x, gradient)
        one.step()
        found.append(x.item() - before)
    assert_close(found, by_hand(**options), atol=1e-12, rtol=1e-9)


def test_every_optimiser_has_steps_by_hand() -> None:
    assert {kind for kind, *_ in BY_HAND} == set(OPTIMISERS)


# ---- clipping ----


@pytest.mark.parametrize(("norm", "share"), [(1.0, 1 / 13), (6.5, 0.5), (13.0, 1.0), (20.0, 1.0), (None, 1.0)])
def test_a_gradient_is_scaled_to_the_norm_over_all_tensors(norm: float | None, share: float) -> None:
    """(3, 4, 12) has the norm 13; Adam's first moment is a tenth of what reaches it."""
    tensors = [nn.Parameter(torch.zeros(2, dtype=torch.float64)), nn.Parameter(torch.zeros(1, dtype=torch.float64))]
    settings = {"kind": "adam", "lr": 0.1, "betas": (0.9, 0.99), "schedule": {"kind": "constant"}, "clip": norm}
    one = optimiser(settings, Player("player", tuple(tensors), lambda batch: {}))
    tensors[0].grad, tensors[1].grad = torch.tensor([3.0, 4.0]).double(), torch.tensor([12.0]).double()
    one.step()
    first = torch.cat([one.state[tensor]["exp_avg"] for tensor in tensors]) / 0.1
    assert_close(first, share * torch.tensor([3.0, 4.0, 12.0]).double(), rtol=1e-6, atol=0)  # torch adds 1e-6 to 13


def test_clipping_is_the_players_own_and_no_clipping_has_the_same_bits() -> None:
    def clipping(norm: float | None) -> dict[str, Any]:
        options = entry("wae-gan", epochs=1)
        options["optimisers"]["latent_critic"]["clip"] = norm
        return train(DATASET, options, images(), seed=1, device="cpu").state

    plain = train(DATASET, entry("wae-gan", epochs=1), images(), seed=1, device="cpu").state
    for norm, same in ((None, True), (1e9, True), (1e-9, False)):
        found = clipping(norm)
        assert all(torch.equal(found[key], value) for key, value in plain.items()) == same


# ---- schedules ----


def test_cosine_by_hand() -> None:
    found = [cosine(final=0.2)(epoch, 6) for epoch in (0, 2, 3, 4, 6)]
    assert_close(found, [1.0, 0.2 + 0.8 * 0.75, 0.6, 0.2 + 0.8 * 0.25, 0.2])


def test_a_warmup_rises_in_equal_steps_and_is_never_0() -> None:
    assert_close([warmup(until=0.4)(epoch, 10) for epoch in range(6)], [0.25, 0.5, 0.75, 1.0, 1.0, 1.0])
    assert [warmup(until=0.0)(epoch, 10) for epoch in (0, 9)] == [1, 1]
    assert warmup(until=0.5)(0, 1) == 1
    assert warmup(until=0.07)(6, 100) == 1  # 0.07 * 100 is above 7 in binary
    assert warmup(until=0.07)(5, 100) < 1


def test_lambda_is_annealed_by_epochs_and_the_history_says_so() -> None:
    options = entry("wae-gan", epochs=4, annealing={"kind": "warmup", "until": 1.0})
    one = Run(DATASET, options, images(), seed=1, device="cpu")
    plain = Run(DATASET, entry("wae-gan", epochs=4), images(), seed=1, device="cpu")
    while not one.done:
        one.advance()
    full = plain.constants["autoencoder.effective_lambda"]
    assert one.constants["autoencoder.effective_lambda"] == full
    assert [row["autoencoder.effective_lambda"] for row in one.history] == [full * of for of in (0.25, 0.5, 0.75, 1)]


@pytest.mark.parametrize("name", ["vae", "acai-wae-mmd"])
def test_an_annealed_weight_multiplies_the_penalty(name: str) -> None:
    def first(**changes: Any) -> dict[str, float]:
        one = Run(DATASET, entry(name, epochs=2, pretraining=None, **changes), images(10), seed=1, device="cpu")
        while not one.history:
            one.advance()
        return one.history[0]

    weight = entry(name)["weight"]
    annealed = first(annealing={"kind": "warmup", "until": 1.0})
    assert annealed == first(weight=weight / 2)
    assert annealed != first()
    assert first(annealing=None) == first() == first(annealing={"kind": "constant"})


def test_an_annealed_run_taken_up_again_equals_the_straight_one() -> None:
    options = entry("vae", epochs=4, annealing={"kind": "warmup", "until": 1.0})
    straight = train(DATASET, options, images(), seed=1, device="cpu")
    one = Run(DATASET, options, images(), seed=1, device="cpu")
    for _ in range(6):
        one.advance()
    other = Run(DATASET, options, images(), seed=1, device="cpu")
    other.load_state_dict(one.state_dict())
    while not other.done:
        other.advance()
    assert other.history == straight.history
    assert all(torch.equal(other.weights()[key], value) for key, value in straight.state.items())


def test_a_params_file_may_have_them() -> None:
    content = Document(ROOT / "params" / "smoke" / "params.yaml").content
    model = content["models"]["digits"]["wae-mmd"]
    model["annealing"] = {"kind": "cosine", "final": 0.1}
    model["optimisers"]["autoencoder"] = {
        **{"kind": "adamw", "lr": 0.001, "betas": [0.9, 0.999], "weight_decay": 0.01, "clip": 1.0},
        "schedule": {"kind": "warmup", "until": 0.1},
    }
    PARAMS.validate_python(content)


# ---- shipped schedules ----

# Profile, data set and epochs of a run: those after which the rate changes.
CHANGES: dict[tuple[str, str, int], list[int]] = {
    # The paper's (Tolstikhin et al. 2018, appendix); what comes after the last of 100 epochs changes nothing.
    ("", "mnist", 100): [30, 50, 100],
    ("", "celeba", 55): [30, 50],
    ("", "celeba", 68): [30, 50],
    ("paper", "mnist", 100): [30, 50, 100],
    ("paper", "celeba-15k", 55): [30, 50],
    ("paper", "celeba-15k", 68): [30, 50],
    # The same shares of fewer epochs, rounded up, or down where that would be the end of the run.
    ("celeba-cpu", "celeba-15k", 10): [6, 9],
    ("cpu", "mnist", 15): [5, 8, 15],
    ("mnist-family", "mnist", 5): [2, 3, 5],
    ("family", "digits", 60): [18, 30, 60],
    ("demo", "digits", 60): [18, 30, 60],
    ("smoke", "digits", 5): [2, 3, 5],
    # Ours.
    ("demo", "faces", 10): [4, 8],
    ("lines", "lines", 40): [20, 32],
}


def changes(settings: dict[str, Any], epochs: int) -> list[int]:
    """Epochs done when the factor of the rate becomes another one."""
    factor = steps(at=tuple(settings["at"]), factors=tuple(settings["factors"]))
    return [epoch for epoch in range(1, epochs + 1) if factor(epoch, epochs) != factor(epoch - 1, epochs)]


@pytest.mark.parametrize("name", sorted({name for name, *_ in CHANGES}))
def test_shipped_rates_change_after_the_papers_epochs(name: str) -> None:
    found: dict[tuple[str, str, int], set[tuple[int, ...]]] = {}
    for dataset, models in Document(ROOT / Profile.file(name)).content["models"].items():
        for options in models.values():
            for settings in options["optimisers"].values():
                if settings["schedule"]["kind"] == "steps":
                    of_run = changes(settings["schedule"], options["epochs"])
                    found.setdefault((name, dataset, options["epochs"]), set()).add(tuple(of_run))
    assert found == {key: {tuple(epochs)} for key, epochs in CHANGES.items() if key[0] == name}
