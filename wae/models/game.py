"""Training is a game: a model is a tuple of turns, and in a turn one player lowers its own loss over its own tensors.

No code here waits for the device or branches on a tensor's values, so a whole round can be captured or compiled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

import torch
from torch import Tensor, nn

from wae.errors import UserError

T = TypeVar("T")


class Batch:
    """Images x in [0, 1], (n, c, h, w), and the values that a round computes from them only once.

    The first player that needs the posterior, the code sample or the prior sample computes it; the others reuse it. So
    batch-norm statistics, input noise and samples are the same for every player of the round.
    """

    def __init__(self, x: Tensor, generator: torch.Generator) -> None:
        self.x = x
        self.generator = generator
        self._kept: dict[Callable[[Batch], Any], Any] = {}

    def __len__(self) -> int:
        """n, the number of images."""
        return self.x.shape[0]

    def once(self, make: Callable[[Batch], T]) -> T:
        """The result of `make` for this batch: computed at the first call, the same object at all later calls."""
        if make not in self._kept:
            self._kept[make] = make(self)
        return cast(T, self._kept[make])


@dataclass(frozen=True)
class Posterior:
    """Q(Z|X) of a batch: one `sample` of it and its `mean`, both (n, d); `log_variance` is None for a point mass."""

    sample: Tensor
    mean: Tensor
    log_variance: Tensor | None = None


@dataclass(frozen=True)
class Player:
    """One side of the game: `loss` maps a batch to named scalars, and the player lowers their sum over `params` only.

    Args:
        name: its optimiser's settings are the parameters `optimisers.<name>`.
        fresh: draw a batch of its own for every turn, as WGAN's critic does.
        after: called after its step, e.g. to clip its weights.
    """

    name: str
    params: tuple[nn.Parameter, ...]
    loss: Callable[[Batch], dict[str, Tensor]]
    fresh: bool = False
    after: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Warmup:
    """Steps before the game: `player` trains alone until its loss is below `tolerance`.

    There are at most `steps` steps of `sample` images. The optimiser is a separate one, with the settings of that name.
    """

    player: Player
    steps: int
    sample: int
    tolerance: float


class Penalty(nn.Module, ABC):
    """D(Q_Z, P_Z) from a batch's posterior and as many prior samples.

    `players` names the players that it adds, `least` is the smallest batch that it is defined for, and `density` says
    whether the posterior must have one: a deterministic one has none. `posteriors` and `priors` name the kinds that it
    is defined for, empty for all; params are checked by them.
    """

    players: ClassVar[tuple[str, ...]] = ()
    least: ClassVar[int] = 1
    density: ClassVar[bool] = False
    posteriors: ClassVar[tuple[str, ...]] = ()
    priors: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def forward(self, posterior: Posterior, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
        """The penalty, a 0-d tensor that the encoder lowers.

        Args:
            posterior: Q(Z|X) of the batch, with one sample of it (n, d).
            prior_sample: (n, d).
            generator: the batch's generator, for any other random numbers.
        """

    def enough(self, n: int) -> None:
        """Check the number of images in a batch.

        Raises:
            UserError: the penalty is not defined for so few.
        """
        if n < self.least:
            raise UserError(
                f"batch is {n}; penalty {type(self).__name__.lower()} needs a batch of at least {self.least}"
            )

    def turns(
        self, weight: float, posterior: Callable[[Batch], Posterior], prior_sample: Callable[[Batch], Tensor]
    ) -> tuple[Player, ...]:
        """The turns of the penalty's own players, before the auto-encoder's turn; none if it needs no training.

        Args:
            weight: lambda.
            posterior, prior_sample: functions of a batch; the auto-encoder's own turn uses the same values.
        """
        return ()


class Model(nn.Module, ABC):
    """The interface of every model of the family, for training and evaluation."""

    @abstractmethod
    def turns(self) -> tuple[Player, ...]:
        """The turns of one round, in order; a player may have several."""

    @abstractmethod
    def generate(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, c, h, w) images in [0, 1], drawn from the model."""

    @abstractmethod
    def networks(self) -> dict[str, nn.Module]:
        """By name, the networks that may be compiled or run in another precision: encoder and decoder.

        Critics are excluded: rounding would disturb a slope that is penalised towards 1, and that penalty needs second
        derivatives, which torch.compile does not support.
        """

    def warmup(self) -> Warmup | None:
        """The steps before the first round, or None."""
        return None

    def anneal(self, factor: float) -> None:
        """Multiply the weight of a model that has one by `factor`, until the next call."""

    def constants(self) -> dict[str, float]:
        """Numbers that follow from the options; reported when training starts and kept in every row of the history."""
        return {}


def draws(turns: Sequence[Player]) -> int:
    """Number of batches that one round needs: one for each fresh player's turn and one that all the others share."""
    fresh = sum(player.fresh for player in turns)
    return fresh + (fresh < len(turns))


def play(
    turns: Sequence[Player], optimisers: Mapping[str, torch.optim.Optimizer], batches: Sequence[Batch]
) -> list[dict[str, Tensor]]:
    """One round: each player in turn takes one step; returns every turn's named scalars, detached, on the device.

    Args:
        batches: as many as `draws(turns)`; the last one is shared, fresh players take theirs from the front.
    """
    own = iter(batches)
    scalars = []
    for player in turns:
        terms = player.loss(next(own) if player.fresh else batches[-1])
        optimiser = optimisers[player.name]
        optimiser.zero_grad(set_to_none=True)
        cast(Tensor, sum(terms.values())).backward(inputs=list(player.params))  # type: ignore[no-untyped-call]
        optimiser.step()
        player.after()
        scalars.append({name: value.detach() for name, value in terms.items()})
    return scalars
