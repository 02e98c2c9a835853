"""Optimisers, two steps of each by hand; the epochs after which the shipped schedules change the rate."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest
import torch
from support.project import ROOT
from torch import nn
from torch.testing import assert_close

from wae.config.yaml import Document
from wae.models.game import Player
from wae.pipeline.profile import Profile
from wae.training.optim import OPTIMISERS, optimiser, steps

# ---- optimisers ----

GRADIENTS = (3.0, -0.5)  # of the first and the second step


def adam(lr: float, betas: tuple[float, float]) -> list[float]:
    """Kingma and Ba 2015, algorithm 1: where each step leads from the one before."""
    m = v = 0.0
    moves = []
    for t, g in enumerate(GRADIENTS, 1):
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        moves.append(-lr * m / (1 - betas[0] ** t) / (sqrt(v / (1 - betas[1] ** t)) + 1e-8))
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
    ("rmsprop", rmsprop, {"lr": 0.1}),
    ("rmsprop", rmsprop, {"lr": 0.1, "alpha": 0.6}),
]


@pytest.mark.parametrize(("kind", "by_hand", "options"), BY_HAND)
def test_two_steps_by_hand(kind: str, by_hand: Callable[..., list[float]], options: dict[str, Any]) -> None:
    x = nn.Parameter(torch.tensor(7.0, dtype=torch.float64))
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
