"""Two supports that move apart: Jensen-Shannon stops at log 2, W_1 keeps growing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from wae.divergences import jensen_shannon
from wae.models.nets import initialise, perceptron
from wae.transport.canvas import BLUE, ORANGE, panels
from wae.transport.exact import exact_plan

CASES = {"lines": "Parallel lines: no overlap, however near", "squares": "Unit squares: apart from a shift of 1 on"}


def truth(case: str, shift: float) -> tuple[float, float]:
    """Jensen-Shannon in nats and W_1, in closed form: both share a fraction `overlap` of their mass; all mass moves."""
    overlap = max(0.0, 1 - shift) if case == "squares" else float(shift == 0)
    return (1 - overlap) * math.log(2), shift


def sample(case: str, n: int, shift: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two samples (n, 2), uniform on a unit square or on its left side; the second one is moved right by `shift`."""
    x, y = torch.rand(2, n, 2, generator=generator)
    width = torch.tensor([float(case == "squares"), 1.0])
    return x * width, y * width + torch.tensor([shift, 0.0])


def critic_js(case: str, shift: float, options: Mapping[str, Any], generator: torch.Generator) -> float:
    """A lower bound of Jensen-Shannon, from a critic that is trained on fresh samples and evaluated on others."""
    critic = perceptron(2, options["layers"], options["units"], 1)
    initialise(critic, generator, std=(2 / options["units"]) ** 0.5)
    adam = torch.optim.Adam(critic.parameters(), options["lr"])
    for _ in range(options["steps"]):
        x, y = (critic(side) for side in sample(case, options["batch"], shift, generator))
        adam.zero_grad()
        (F.softplus(-x).mean() + F.softplus(y).mean()).backward()  # type: ignore[no-untyped-call]
        adam.step()
    with torch.no_grad():
        x, y = (critic(side) for side in sample(case, 10 * options["batch"], shift, generator))
        return float(jensen_shannon(x, y))


def numbers(options: Mapping[str, Any], generator: torch.Generator) -> pd.DataFrame:
    """Both divergences of both cases at each shift: from samples, and in closed form."""
    rows = []
    for case in CASES:
        for shift in options["shifts"]:
            x, y = sample(case, options["points"], shift, generator)
            js, w1 = truth(case, shift)
            found = {"js": critic_js(case, shift, options, generator), "w1": exact_plan(x, y, p=1)[1]}
            rows.append({"case": case, "shift": shift, **found, "js_exact": js, "w1_exact": w1})
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> Figure:
    """One panel per case, with both divergences."""
    heading = "Supports that separate: Jensen-Shannon stops at log 2, $W_1$ goes on"
    figure, axes = panels(list(CASES.values()), heading, side=4.4)
    for one, case in zip(axes, CASES, strict=True):
        of = table[table["case"] == case].sort_values("shift")
        jump = of[of["shift"] > 0] if case == "lines" else of  # a line through the jump at 0 would hide it
        one.plot(jump["shift"], jump["js_exact"], color=BLUE, linewidth=1.6, label="Jensen-Shannon (nats), closed form")
        one.scatter(of["shift"], of["js"], color=BLUE, s=22, zorder=3, label="... by a trained critic")
        one.plot(of["shift"], of["w1_exact"], color=ORANGE, linestyle="--", linewidth=1.6, label="$W_1$, closed form")
        one.scatter(of["shift"], of["w1"], color=ORANGE, marker="s", s=22, zorder=3, label="... of samples, exact plan")
        one.axhline(math.log(2), color="grey", linewidth=0.8, linestyle=":")
        one.text(of["shift"].max(), math.log(2) + 0.04, "log 2", ha="right", color="grey")
        one.set(xlabel="shift of one support, in its sides", ylabel="divergence")
    axes[0].legend(loc="upper left")
    return figure
