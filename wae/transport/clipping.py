"""Critics trained on toy densities, with clipped weights and with a penalised slope."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from wae.models.game import Batch, play
from wae.models.nets import initialise, perceptron
from wae.models.objectives import Clipping, GradientPenalty, Objective
from wae.transport.canvas import grid, panels, parts, plane, points
from wae.transport.exact import exact_plan

REACH = 2.6
SHOWN = 300
METHODS = {"clipping": "clipped", "penalty": "penalised"}
Density = Callable[[int, torch.Generator], Tensor]


# ---- densities --------------------------------------------------------------


def ring(n: int, generator: torch.Generator) -> Tensor:
    """(n, 2) from eight Gaussians of deviation 0.05 on a circle of radius 1.6."""
    angle = torch.randint(8, (n,), generator=generator) * (math.pi / 4)
    return 1.6 * torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2, generator=generator)


def lattice(n: int, generator: torch.Generator) -> Tensor:
    """(n, 2) from 25 Gaussians of deviation 0.05, 0.8 apart."""
    return 0.8 * (torch.randint(5, (n, 2), generator=generator) - 2) + 0.05 * torch.randn(n, 2, generator=generator)


def roll(n: int, generator: torch.Generator) -> Tensor:
    """(n, 2) from a spiral of one and a half turns."""
    angle = 1.5 * math.pi * (1 + 2 * torch.rand(n, generator=generator))
    curve = torch.stack([angle * angle.cos(), angle * angle.sin()], 1) * 0.13
    return curve + 0.03 * torch.randn(n, 2, generator=generator)


DENSITIES: dict[str, Density] = {"8 Gaussians": ring, "25 Gaussians": lattice, "Swiss roll": roll}


# ---- critics ----------------------------------------------------------------


@dataclass
class Toy:
    """Both sides of an objective: real points, and points with unit noise in the place of a fixed generator's."""

    critic: nn.Sequential
    generator: nn.Module = field(default_factory=nn.Identity)

    def real(self, batch: Batch) -> Tensor:
        """The batch's points (n, 2)."""
        return batch.x

    def fake(self, batch: Batch) -> Tensor:
        """The same points with unit noise, as in the WGAN-GP paper's figure."""
        return batch.once(spread)


def spread(batch: Batch) -> Tensor:
    """A batch's points with unit noise."""
    return batch.x + torch.randn(batch.x.shape, generator=batch.generator)


def train(objective: Objective, density: Density, options: Mapping[str, Any], generator: torch.Generator) -> Toy:
    """A `Toy` with a critic trained by its own turns of the objective, each on fresh points."""
    toy = Toy(perceptron(2, options["layers"], options["units"], 1))
    initialise(toy.critic, generator, std=(2 / options["units"]) ** 0.5)
    turn = objective.turns(toy)[0]
    adam = {turn.name: torch.optim.Adam(turn.params, options["lr"], betas=(0.5, 0.9))}
    for _ in range(options["steps"]):
        play((turn,), adam, [Batch(density(options["batch"], generator), generator)])
    toy.critic.requires_grad_(False)
    return toy


def slopes(critic: nn.Module, x: Tensor) -> Tensor:
    """|grad f| (n,) at points (n, 2)."""
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x)
    norms: Tensor = torch.linalg.vector_norm(slope, dim=1)
    return norms


# ---- the figure -------------------------------------------------------------


def numbers(options: Mapping[str, Any], generator: torch.Generator) -> pd.DataFrame:
    """Real points, each critic's values on a grid, its dual value and slopes, and the exact W_1."""
    objectives: dict[str, Objective] = {
        "clipping": Clipping(rounds=1, bound=options["bound"]),
        "penalty": GradientPenalty(rounds=1, weight=options["weight"]),
    }
    tables, where = [], grid(-REACH, REACH, options["grid"])
    for name, density in DENSITIES.items():
        real = density(SHOWN, generator)
        fake = spread(Batch(density(SHOWN, generator), generator))
        tables.append(points(real, part="real", density=name))
        for method, objective in objectives.items():
            critic = train(objective, density, options, generator).critic
            heights = critic(where.float())[:, 0]
            tables.append(points(where, part="level", density=name, method=method, value=heights))
            low, median, high = slopes(critic, torch.cat([real, fake])).quantile(torch.tensor([0.1, 0.5, 0.9])).tolist()
            dual, exact = float(critic(real).mean() - critic(fake).mean()), exact_plan(real, fake, p=1)[1]
            told = {"part": "critic", "density": name, "method": method, "dual": dual, "exact": exact}
            tables.append(pd.DataFrame([{**told, "slope": median, "slope_10": low, "slope_90": high}]))
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame) -> Figure:
    """Level sets of the critics: one row per method, one column per density."""
    of = parts(table)
    cells = [(method, density) for method in METHODS for density in DENSITIES]
    slope = of["critic"].set_index(["method", "density"])["slope"]
    titles = [f"{density}, {METHODS[method]}: slope {slope.loc[method, density]:.2g}" for method, density in cells]
    heading = "Level sets of critics (brighter: more real): weights clipped, above, and slope penalised (median slope)"
    figure, axes = panels(titles, heading, rows=2, side=3.3)
    for one, (method, density) in zip(axes, cells, strict=True):
        level = of["level"][(of["level"]["method"] == method) & (of["level"]["density"] == density)]
        surface = level.pivot(index="y", columns="x", values="value")
        one.contourf(surface.columns, surface.index, surface, levels=12, cmap="cividis")
        one.contour(surface.columns, surface.index, surface, levels=12, colors="white", linewidths=0.4)
        dots = of["real"][of["real"]["density"] == density]
        one.scatter(dots["x"], dots["y"], color="white", edgecolor="black", linewidth=0.3, s=7)
        one.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH))
        plane(one, "box")
    return figure
