"""Optimisers, and schedules of rates and weights in fractions of the run, so that short runs decay too."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import nn, optim

from wae.config.schedule import first_epoch
from wae.config.types import Decay, Fraction, NonNegative, Positive
from wae.errors import UserError
from wae.models.game import Player

Schedule = Callable[[int, int], float]
"""(epochs done, epochs of the run) -> factor of a learning rate, or of a weight, during the next epoch."""


def adam(params: Iterable[nn.Parameter], *, lr: Positive, betas: tuple[Decay, Decay]) -> optim.Optimizer:
    """Adam (Kingma and Ba 2015) with epsilon 1e-8.

    Args:
        lr: learning rate, before the schedule's factor.
        betas: decay of the first and second moment; the WAE paper has beta1 0.5.
    """
    # One kernel for all tensors, on CPU and CUDA: bit-reproducible.
    return optim.Adam(params, lr=lr, betas=(betas[0], betas[1]), fused=True)


def adamw(
    params: Iterable[nn.Parameter], *, lr: Positive, betas: tuple[Decay, Decay], weight_decay: NonNegative
) -> optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019) and epsilon 1e-8.

    Args:
        lr: learning rate, before the schedule's factor.
        betas: decay of the first and second moment.
        weight_decay: share of a weight that a step takes off, times the learning rate; 0.01 is usual.
    """
    return optim.AdamW(params, lr=lr, betas=(betas[0], betas[1]), weight_decay=weight_decay, fused=True)


def rmsprop(params: Iterable[nn.Parameter], *, lr: Positive, alpha: Decay = 0.99) -> optim.Optimizer:
    """RMSprop (Tieleman and Hinton 2012) with epsilon 1e-8 and no momentum; WGAN's choice.

    Args:
        lr: learning rate, before the schedule's factor; 5e-5 in the WGAN paper.
        alpha: decay of the mean square.
    """
    return optim.RMSprop(params, lr=lr, alpha=alpha)


def constant() -> Schedule:
    """Factor 1 throughout."""
    return lambda epoch, epochs: 1.0


def steps(*, at: tuple[Fraction, ...], factors: tuple[Positive, ...]) -> Schedule:
    """Factor 1, then `factors[i]` from the fraction `at[i]` of the epochs on; factors are not multiplied together.

    Args:
        at: fractions of the run, increasing; the WAE paper has 0.3, 0.5, 1 (epochs 30, 50, 100). A step holds from the
            first epoch that begins there or later; 1 is the end of the run, which no epoch has.
        factors: as many factors; the WAE paper has 0.5, 0.1, 0.01.
    """
    if len(at) != len(factors) or list(at) != sorted(at):
        raise UserError(f"schedule.at and .factors are {at} and {factors}; they are as many, and `at` increases")

    def factor(epoch: int, epochs: int) -> float:
        reached = [value for start, value in zip(at, factors) if epoch >= first_epoch(start, epochs)]
        return reached[-1] if reached else 1.0

    return factor


def exponential(*, final: Positive) -> Schedule:
    """final^(epoch / epochs): the same factor from every epoch to the next (the WAE authors' repository).

    Args:
        final: limit of the factor at the end of the run; 0.01 in that repository.
    """
    return lambda epoch, epochs: final ** (epoch / epochs)


def cosine(*, final: Fraction) -> Schedule:
    """From 1 to `final` along half a cosine (Loshchilov and Hutter 2017, without restarts).

    Args:
        final: limit of the factor at the end of the run; often 0.
    """
    return lambda epoch, epochs: final + (1 - final) * (1 + math.cos(math.pi * epoch / epochs)) / 2


def warmup(*, until: Fraction) -> Schedule:
    """In equal steps up to 1, which the last epoch before the fraction `until` of the run has; then 1.

    For a weight it is the annealing of Bowman et al. 2016. No epoch has the factor 0.

    Args:
        until: fraction of the run.
    """
    # 0.07 * 100 is 7.000000000000001: rounding must not move the last step by an epoch.
    return lambda epoch, epochs: min(1.0, (epoch + 1) / max(1, math.ceil(until * epochs - 1e-9)))


def schedule(settings: Mapping[str, Any]) -> Schedule:
    """The schedule that `settings` describes."""
    return SCHEDULES[settings["kind"]](**{key: value for key, value in settings.items() if key != "kind"})


def optimiser(settings: Mapping[str, Any], player: Player) -> optim.Optimizer:
    """The optimiser of one player, which clips its gradient first; the schedule in `settings` is ignored."""
    options = {key: value for key, value in settings.items() if key not in ("kind", "schedule", "clip")}
    made = OPTIMISERS[settings["kind"]](player.params, **options)
    if settings.get("clip") is not None:
        made.register_step_pre_hook(lambda *_: clipped(player.params, settings["clip"]))
    return made


def clipped(params: Iterable[nn.Parameter], norm: float) -> None:
    """Scale a gradient to the norm `norm` over all tensors together, if it is longer (Pascanu et al. 2013)."""
    nn.utils.clip_grad_norm_(params, norm)


def prepare(
    settings: Mapping[str, Mapping[str, Any]], turns: Sequence[Player]
) -> tuple[dict[str, optim.Optimizer], dict[str, Schedule]]:
    """One optimiser and one schedule for each player of the game, by its name.

    Raises:
        UserError: `settings` and the game do not have the same players.
    """
    players = {player.name: player for player in turns}
    if players.keys() != settings.keys():
        given, wanted = ", ".join(sorted(settings)) or "nobody", ", ".join(sorted(players))
        raise UserError(f"optimisers are given for {given}; the players of this model are {wanted}")
    schedules = {name: schedule(options["schedule"]) for name, options in settings.items()}
    return {name: optimiser(settings[name], player) for name, player in players.items()}, schedules


OPTIMISERS: dict[str, Callable[..., optim.Optimizer]] = {"adam": adam, "adamw": adamw, "rmsprop": rmsprop}
SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": constant,
    "steps": steps,
    "exponential": exponential,
    "cosine": cosine,
    "warmup": warmup,
}
