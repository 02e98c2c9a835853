"""The schema of `figures` in a params file: the settings of each figure, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from wae.config.constructors import Options
from wae.config.types import Count, NonNegative, Odd, Positive, Several, Whole

Dimension = Annotated[int, Field(ge=2, description="d")]
Level = Annotated[int, Field(ge=5)]
Points = Annotated[Count, Field(description="of each sample")]


class Drawn(Options):
    """Settings of every computed figure."""

    seed: Whole = Field(description="of all that is drawn at random")


class Duality(Drawn):
    """The dual of W_1 rises to the primal (Kantorovich and Rubinstein 1958)."""

    points: Count = Field(description="of each of the two samples in the plane")
    steps: Count = Field(description="of ascent on the dual")
    rate: Positive = Field(description="of the potentials' subgradient steps, rate / sqrt(step), in the plane's unit")
    lr: Positive = Field(description="learning rate of the critic's Adam")
    pairs: Count = Field(description="of units in each of the critic's two hidden layers; a layer sorts each pair")


class Radon(Drawn):
    """Slices of a density in the plane, and SW_p^p <= alpha W_p^p."""

    angles: list[NonNegative] = Field(
        min_length=1, max_length=5, description="of the slices that are shown, in degrees"
    )
    pairs: Several = Field(description="pairs of samples on which the inequality is tried")
    points: Points
    directions: Count = Field(description="equally spaced over the half circle, to average over")


class Plans(Drawn):
    """Kantorovich's plans beside Monge's maps."""

    few: Count = Field(description="points of the small examples' sources")
    many: Count = Field(description="points of each Gaussian sample")


class Dimensions(Drawn):
    """W_2 against 1.22 sqrt(d) SW_2. The factor is from the talk; it fits slices averaged without the square."""

    dimensions: list[Dimension] = Field(min_length=1, description="d, a point of the curve each")
    slices: list[Count] = Field(min_length=1, description="L, numbers of random directions")
    points: Points
    repeats: Count = Field(description="sets of directions; the figure shows their median and range")


class Moving(Drawn):
    """Distances from N(0, I) to N(t e, I) for growing t (the question of Kolouri et al. 2019b, figure 1)."""

    dimension: Dimension
    shifts: list[NonNegative] = Field(min_length=1, description="t, in standard deviations")
    points: Points
    slices: Count = Field(description="random directions")
    radius: Positive = Field(description="of the circular slices' centres")
    degree: Odd = Field(description="of the polynomial slices; odd")
    units: Count = Field(description="of the neural slices' hidden layer")


class Critic(Drawn):
    """Settings of a figure with a trained critic."""

    steps: Count = Field(description="of the critic's Adam")
    batch: Count = Field(description="points of each sample a step")
    lr: Positive = Field(description="learning rate of Adam")
    layers: Count = Field(description="the critic's hidden layers")
    units: Count = Field(description="of each hidden layer")


class Supports(Critic):
    """Jensen-Shannon, read from a critic, and W_1 of two supports that separate (Arjovsky et al. 2017, example 1).

    Ten times `batch` points of each side judge the critic.
    """

    shifts: list[NonNegative] = Field(min_length=1, description="distance moved, in units of the supports' side")
    points: Count = Field(description="of each sample from which W_1 is computed")


class Clipping(Critic):
    """What a critic learns under clipping and under a gradient penalty (Gulrajani et al. 2017, figure 1).

    That paper's toy examples use three hidden layers of 512 units and a learning rate of 1e-4.
    """

    bound: Positive = Field(description="of clipped weights; 0.01 in the WGAN paper")
    weight: Positive = Field(description="of the gradient penalty; 10 in the WGAN-GP paper")
    grid: Level = Field(description="points a side at which the level sets are read")


class Posteriors(Drawn):
    """Posteriors of held-out images in a plane of codes (Tolstikhin et al. 2018, figure 1)."""

    dataset: str = Field(description="a key of grid; its data need labels")
    models: list[str] = Field(description="auto-encoders of it with two latent dimensions")
    images: Count = Field(description="held-out images, drawn by the seed, whose posteriors are shown")
    draws: Count = Field(description="codes from each posterior, for the share that another image's claims")


class Generators(Drawn):
    """Several generators per objective (question of Deshpande et al. 2018, figure 5); models <objective>-<network>."""

    dataset: str = Field(description="a key of grid")
    objectives: list[str] = Field(description="a row each, the first part of the models' names")
    networks: list[str] = Field(description="a column each, the rest of the models' names")


def shown(figure: Mapping[str, Any]) -> list[str]:
    """The models that a figure with these settings shows: its `models`, or every <objective>-<network>."""
    made = [f"{objective}-{network}" for objective in figure.get("objectives", []) for network in figure["networks"]]
    return [*figure.get("models", []), *made]


class Figures(Options):
    """Figures of optimal transport. A figure is drawn if its key is given."""

    duality: Duality | None = None
    radon: Radon | None = None
    plans: Plans | None = None
    dimension: Dimensions | None = None
    moving: Moving | None = None
    supports: Supports | None = None
    clipping: Clipping | None = None
    posteriors: Posteriors | None = None
    generators: Generators | None = None
