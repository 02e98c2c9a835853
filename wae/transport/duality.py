"""Kantorovich's duality: every 1-Lipschitz function gives a lower bound of W_1, and the best bound equals W_1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from wae.models.nets import initialise
from wae.transport.canvas import BLUE, GREEN, GREY, ORANGE, normal, panels, parts, plane, points, segments
from wae.transport.exact import exact_plan

DUALS = {"potentials": "potentials, subgradient ascent", "critic": "1-Lipschitz critic, Adam"}


class Lipschitz(nn.Module):
    """A function on the plane, (n, 2) -> (n,), that is 1-Lipschitz for all values of its weights (Anil et al. 2019).

    Every matrix is divided by its largest singular value where that exceeds 1. The activation sorts pairs of units,
    which keeps the norms of gradients; a ReLU would lower them.
    """

    def __init__(self, pairs: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [(2, 2 * pairs), (2 * pairs, 2 * pairs), (2 * pairs, 1)]
        self.layers = nn.ModuleList(nn.Linear(*size, dtype=torch.float64) for size in sizes)
        initialise(self, generator, std=(2 * pairs) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """f(x)."""
        for index, layer in enumerate(self.layers):
            weight, bias = layer.parameters()
            if index:
                x = x.reshape(len(x), -1, 2).sort(-1).values.flatten(1)
            norm = torch.linalg.eigvalsh(weight @ weight.T)[-1].sqrt().clamp(min=1)
            x = nn.functional.linear(x, weight / norm, bias)
        return x[:, 0]


def potentials(costs: Tensor, steps: int, rate: float) -> list[float]:
    """Values of the dual at each step of subgradient ascent in f (n,), with the c-transform min_x (cost(x, y) - f(x)).

    Such a pair is feasible at every step, so no value exceeds the primal value.
    """
    f, values = costs.new_zeros(len(costs)), []
    for step in range(1, steps + 1):
        transform, nearest = (costs - f[:, None]).min(0)
        values.append(float(f.mean() + transform.mean()))
        excess = 1 / len(f) - torch.bincount(nearest, minlength=len(f)) / costs.shape[1]
        f = f + rate * len(f) / step**0.5 * excess
    return values


def critic(x: Tensor, y: Tensor, steps: int, lr: float, pairs: int, generator: torch.Generator) -> list[float]:
    """Values E f(x) - E f(y) of a 1-Lipschitz critic f at each Adam step; the rate falls to 0 as half a cosine."""
    f = Lipschitz(pairs, generator)
    adam, values = torch.optim.Adam(f.parameters(), lr), []
    for step in range(steps):
        adam.param_groups[0]["lr"] = lr * (1 + math.cos(math.pi * step / steps)) / 2
        value = f(x).mean() - f(y).mean()
        values.append(value.item())
        adam.zero_grad()
        (-value).backward()  # type: ignore[no-untyped-call]
        adam.step()
    return values


def numbers(options: Mapping[str, Any], generator: torch.Generator) -> pd.DataFrame:
    """Two samples, the optimal plan between them, its cost, and both duals' values at each step."""
    n = options["points"]
    x = 0.6 * normal(generator, n, 2)
    angle = 2 * math.pi * torch.rand(n, generator=generator, dtype=torch.float64)
    y = torch.stack([2 + angle.cos(), 0.6 + angle.sin()], 1) + 0.1 * normal(generator, n, 2)
    plan, primal = exact_plan(x, y, p=1)
    i, j = plan.nonzero().T
    pairs = points(x[i], y[j], part="plan", mass=plan[i, j])
    duals = {
        "potentials": potentials(torch.cdist(x, y), options["steps"], options["rate"]),
        "critic": critic(x, y, options["steps"], options["lr"], options["pairs"], generator),
    }
    curves = [
        pd.DataFrame({"part": name, "step": range(1, len(values) + 1), "value": values, "primal": primal})
        for name, values in duals.items()
    ]
    return pd.concat([points(x, part="x"), points(y, part="y"), pairs, *curves], ignore_index=True)


def draw(table: pd.DataFrame) -> Figure:
    """Left: the cheapest plan. Right: the values of both duals, which rise to its cost."""
    of = parts(table)
    heading = "Kantorovich duality: every 1-Lipschitz f bounds the cost of the cheapest plan from below"
    figure, (left, right) = panels(["Primal: the cheapest plan", "Dual: rises to the primal"], heading, side=4.4)
    segments(left, of["plan"], color=GREY, linewidth=0.7)
    left.scatter(of["x"]["x"], of["x"]["y"], color=BLUE, s=14, zorder=3, label="x")
    left.scatter(of["y"]["x"], of["y"]["y"], color=ORANGE, s=14, marker="s", zorder=3, label="y")
    left.legend(loc="upper left")
    plane(left)
    primal = of["critic"]["primal"].iloc[0]
    right.axhline(primal, color="black", linewidth=1.2, linestyle="--", label=f"primal: $W_1$ = {primal:.3f}, exact")
    for part, colour, dash in (("potentials", GREEN, "-"), ("critic", ORANGE, "-.")):
        values = of[part]["value"]
        label = f"{DUALS[part]}: ends at {values.iloc[-1] / primal:.1%}"
        right.plot(of[part]["step"], values, color=colour, linestyle=dash, linewidth=1.5, label=label)
    lowest = min(0.0, of["potentials"]["value"].min(), of["critic"]["value"].min())
    right.set(xlabel="step", ylabel="value of the dual", xscale="log", ylim=(lowest, 1.12 * primal))
    right.legend(loc="lower right")
    return figure
