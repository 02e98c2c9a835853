"""Objectives that train a generator: the turns of the optimal-transport GANs, on real and generated images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn

from wae.config.types import Count, Positive, Slice
from wae.models.game import Batch, Player
from wae.models.penalties import SlicedDistance, cross_entropy


class Sides(Protocol):
    """The parts of a model that an objective uses: networks, and both kinds of images in the networks' pixel range."""

    generator: nn.Module
    critic: nn.Sequential

    def real(self, batch: Batch) -> Tensor:
        """The batch's images (n, c, h, w)."""

    def fake(self, batch: Batch) -> Tensor:
        """As many generated images, the same for every player of the round."""


class Objective(ABC):
    """The turns of a round; the generator's turn is the last.

    `players` names the players before it. `term` is the name of the generator's loss in history.csv. `fresh` says
    whether each of the players' turns draws a batch of its own; then the option `rounds` is the number of these turns,
    and params are checked to have enough images.
    """

    players: ClassVar[tuple[str, ...]]
    term: ClassVar[str]
    fresh: ClassVar[bool] = False

    @abstractmethod
    def turns(self, model: Sides) -> tuple[Player, ...]:
        """The turns of one round, in order."""


def generator_turn(model: Sides, name: str, loss: Callable[[Batch], Tensor]) -> Player:
    """The generator's turn, with one term called `name`: the value of `loss`, batch -> a 0-d tensor."""
    return Player("generator", tuple(model.generator.parameters()), lambda batch: {name: loss(batch)})


# ---- cross entropy ----------------------------------------------------------


class CrossEntropy(Objective):
    """The non-saturating game (Goodfellow et al. 2014): the critic tells real from generated, the generator fools it.

    Args:
        rounds: turns of the critic before each turn of the generator.
    """

    players = ("critic",)
    term = "fooling"

    def __init__(self, *, rounds: Count) -> None:
        self.rounds = rounds

    def turns(self, model: Sides) -> tuple[Player, ...]:
        """Critic, `rounds` times, then the generator; its loss is -log of the critic's probability of `real`."""
        generator = generator_turn(model, self.term, lambda batch: cross_entropy(model.critic(model.fake(batch)), 1.0))
        return (*(telling(model),) * self.rounds, generator)


def telling(model: Sides) -> Player:
    """A critic that lowers its cross entropy, with label 1 for real images and 0 for generated ones."""

    def loss(batch: Batch) -> dict[str, Tensor]:
        real, fake = judged(model, batch, model.fake(batch).detach())
        return {"real": cross_entropy(real, 1.0), "fake": cross_entropy(fake, 0.0)}

    return Player("critic", tuple(model.critic.parameters()), loss)


def judged(model: Sides, batch: Batch, fake: Tensor) -> Sequence[Tensor]:
    """The critic's outputs (n, 1) for real and for generated images, in one pass: it treats each image alone."""
    logits: Tensor = model.critic(torch.cat([model.real(batch), fake]))
    return logits.chunk(2)


# ---- Kantorovich's dual -----------------------------------------------------


class Clipping(Objective):
    """WGAN (Arjovsky et al. 2017, algorithm 1): W_1 by its dual, with clipped weights of the critic.

    The gains of the critic's layer norms are not clipped: clipped gains would suppress its signal.

    Args:
        rounds: turns of the critic, each on its own batch, before each turn of the generator; 5 in the paper. (The
            authors' code has 100 in the first 25 rounds and in every 500th; here the number is constant.)
        bound: largest absolute value of every weight of the critic's convolutions and linear maps; 0.01 in the paper.
    """

    players = ("critic",)
    term = "praise"
    fresh = True

    def __init__(self, *, rounds: Count, bound: Positive) -> None:
        self.rounds, self.bound = rounds, bound

    def turns(self, model: Sides) -> tuple[Player, ...]:
        """Critic, `rounds` times, clipped after each turn, then the generator."""
        params = tuple(model.critic.parameters())
        maps = [part for part in model.critic.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
        boxed = [weight for part in maps for weight in part.parameters()]

        def clip() -> None:
            with torch.no_grad():
                for weight in boxed:
                    weight.clamp_(-self.bound, self.bound)

        critic = Player("critic", params, lambda batch: dual(model, batch), fresh=self.fresh, after=clip)
        return (*(critic,) * self.rounds, praised(model))


class GradientPenalty(Objective):
    """WGAN-GP (Gulrajani et al. 2017, algorithm 1): the critic's slope is drawn to 1 between real and generated images.

    Args:
        rounds: turns of the critic, each on its own batch, before each turn of the generator; 5 in the paper.
        weight: factor of the penalty; 10 in the paper.
    """

    players = ("critic",)
    term = "praise"
    fresh = True

    def __init__(self, *, rounds: Count, weight: Positive) -> None:
        self.rounds, self.weight = rounds, weight

    def turns(self, model: Sides) -> tuple[Player, ...]:
        """Critic, `rounds` times, then the generator."""

        def loss(batch: Batch) -> dict[str, Tensor]:
            slope = gradient_penalty(model.critic, model.real(batch), imitation(model, batch), batch.generator)
            return {**dual(model, batch), "slope": self.weight * slope}

        critic = Player("critic", tuple(model.critic.parameters()), loss, fresh=self.fresh)
        return (*(critic,) * self.rounds, praised(model))


def dual(model: Sides, batch: Batch) -> dict[str, Tensor]:
    """Minus the dual value E f(real) - E f(fake); its maximum over 1-Lipschitz critics f is W_1."""
    real, fake = judged(model, batch, imitation(model, batch))
    return {"dual": fake.mean() - real.mean()}


def imitation(model: Sides, batch: Batch) -> Tensor:
    """Generated images for a critic with its own batch. The generator has no turn on it, so no graph is built."""
    with torch.no_grad():
        return model.fake(batch)


def praised(model: Sides) -> Player:
    """A generator that lowers -E f(fake)."""
    return generator_turn(model, "praise", lambda batch: -model.critic(model.fake(batch)).mean())


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor:
    """E (|grad f(x)| - 1)^2 at x uniform between a real and a generated image; the norm is over all of x's elements.

    Args:
        critic: images -> (n, 1), without batch norm, so that each gradient depends on one image only.
        real, fake: (n, c, h, w), not part of any graph.
    """
    alpha = torch.rand(len(real), *[1] * (real.ndim - 1), generator=generator, device=real.device, dtype=real.dtype)
    between = torch.lerp(fake, real, alpha).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    norm: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (norm - 1).square().mean()


# ---- slices -----------------------------------------------------------------


class Sliced(Objective):
    """The sliced Wasserstein generator on pixels (Deshpande et al. 2018): no critic and no game.

    Args:
        p: order of the distance; 2 in the paper.
        directions: random slices per round; 10,000 in the paper. With `ascent`, random starts added to the moments'.
        defining: function that a slice applies to an image; linear in the paper.
        ascent: steps of ascent to the best slice (Deshpande et al. 2019); null for the mean over the slices.
    """

    players = ()
    term = "sliced"

    def __init__(self, *, p: Positive, directions: Count, defining: Slice, ascent: Count | None = None) -> None:
        self.distance = SlicedDistance(p, directions, defining, ascent)

    def turns(self, model: Sides) -> tuple[Player, ...]:
        """The generator alone."""

        def loss(batch: Batch) -> Tensor:
            return self.distance(model.fake(batch).flatten(1), model.real(batch).flatten(1), batch.generator)

        return (generator_turn(model, self.term, loss),)


class SlicedFeatures(Objective):
    """The sliced Wasserstein generator on features of a critic (Deshpande et al. 2018, section 3.3).

    The critic learns only to tell real from generated images, by cross entropy. The generator lowers the distance in
    the critic's last hidden layer. The two losses do not oppose each other.

    Args:
        p: order of the distance; 2 in the paper.
        directions: random slices per round.
        defining: function that a slice applies to the features; linear in the paper.
        ascent: steps of ascent to the best slice (Deshpande et al. 2019); null for the mean over the slices.
        rounds: turns of the critic before each turn of the generator; 1 in the paper.
    """

    players = ("critic",)
    term = "sliced"

    def __init__(
        self, *, p: Positive, directions: Count, defining: Slice, ascent: Count | None = None, rounds: Count
    ) -> None:
        self.distance, self.rounds = SlicedDistance(p, directions, defining, ascent), rounds

    def turns(self, model: Sides) -> tuple[Player, ...]:
        """Critic, `rounds` times, then the generator."""

        def loss(batch: Batch) -> Tensor:
            features = model.critic[:-1]
            fake, real = features(model.fake(batch)), features(model.real(batch))
            return self.distance(fake, real, batch.generator)

        return (*(telling(model),) * self.rounds, generator_turn(model, self.term, loss))


OBJECTIVES = {
    "cross-entropy": CrossEntropy,
    "clipping": Clipping,
    "gradient-penalty": GradientPenalty,
    "sliced": Sliced,
    "sliced-features": SlicedFeatures,
}
