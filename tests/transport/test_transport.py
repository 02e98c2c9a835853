"""Figures of optimal transport: the numbers each draws keep the laws that it shows."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any

import ot
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from wae.figures.style import save, styled
from wae.models.objectives import Clipping, GradientPenalty
from wae.transport import clipping, dimension, duality, moving, plans, radon, supports
from wae.transport.exact import exact_plan

SMALL: dict[str, dict[str, Any]] = {
    "duality": {"points": 30, "steps": 300, "rate": 0.1, "lr": 0.03, "pairs": 8},
    "radon": {"angles": [0, 60], "pairs": 8, "points": 40, "directions": 180},
    "plans": {"few": 4, "many": 100},
    "dimension": {"dimensions": [2, 8, 64], "slices": [10, 1000], "points": 1000, "repeats": 6},
    "moving": {
        "dimension": 10, "shifts": [0, 1, 2, 4], "points": 400, "slices": 300, "radius": 3, "degree": 3, "units": 8,
    },
    "supports": {
        "shifts": [0, 0.5, 1.5], "points": 100, "steps": 150, "batch": 128, "lr": 0.02, "layers": 2, "units": 16,
    },
    "clipping": {
        "steps": 150, "batch": 128, "lr": 0.003, "layers": 2, "units": 32, "bound": 0.01, "weight": 10, "grid": 5,
    },
}  # fmt: skip


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cloud(n: int, d: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=generator(seed), dtype=torch.float64)


def table(figure: str, **more: Any) -> pd.DataFrame:
    return import_module(f"wae.transport.{figure}").numbers({**SMALL[figure], **more}, generator())


# ---- all ----


@pytest.mark.parametrize("figure", SMALL)
def test_a_figure_made_again_is_the_same_bytes(figure: str, tmp_path: Path) -> None:
    module, tables = import_module(f"wae.transport.{figure}"), [table(figure, repeats=2) for _ in range(2)]
    assert tables[0].to_csv() == tables[1].to_csv()
    for name, numbers in zip("ab", tables):
        with styled():
            save(module.draw(numbers), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ---- exact plans ----


@pytest.mark.parametrize(("n", "m"), [(12, 12), (6, 9), (7, 3), (1, 5)])
@pytest.mark.parametrize("p", [1, 2])
def test_a_plan_has_its_marginals_and_the_reference_s_cost(n: int, m: int, p: int) -> None:
    x, y = cloud(n), cloud(m, seed=1) + 1
    plan, cost = exact_plan(x, y, p)
    assert_close(plan.sum(1), torch.full((n,), 1 / n, dtype=torch.float64), atol=1e-12, rtol=0)
    assert_close(plan.sum(0), torch.full((m,), 1 / m, dtype=torch.float64), atol=1e-12, rtol=0)
    assert plan.min() >= 0
    assert plan.count_nonzero() <= n + m - 1
    assert cost == pytest.approx(ot.emd2([], [], (torch.cdist(x, y) ** p).numpy()), rel=1e-9)


def test_a_shift_costs_its_length() -> None:
    x, shift = cloud(20), torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert exact_plan(x, x + shift, 1)[1] == pytest.approx(5)
    assert exact_plan(x, x + shift, 2)[1] == pytest.approx(25)


# ---- duality ----


def test_duals_never_pass_the_primal_and_end_within_two_per_cent() -> None:
    numbers = table("duality")
    for part in duality.DUALS:
        of = numbers[numbers["part"] == part]
        primal = of["primal"].iloc[0]
        assert (of["value"] <= primal * (1 + 1e-9)).all()
        assert of["value"].iloc[-1] > 0.98 * primal


def test_the_critic_is_1_lipschitz_whatever_its_weights() -> None:
    critic, x, y = duality.Lipschitz(8, generator()), cloud(500), cloud(500, seed=1)
    with torch.no_grad():
        for weight in critic.parameters():
            weight.mul_(30)
        stretch = (critic(x) - critic(y)).abs() / (x - y).norm(dim=1)
    assert 0.1 < stretch.max() <= 1 + 1e-9


# ---- slices ----


def test_alpha_in_closed_form() -> None:
    assert radon.alpha(2, 1) == pytest.approx(2 / math.pi)
    for d in (1, 2, 10):
        assert radon.alpha(d, 2) == pytest.approx(1 / d)


def test_a_slice_is_the_density_s_integral_across_it() -> None:
    t = torch.linspace(-6, 6, 601, dtype=torch.float64)
    (theta,) = radon.along(torch.tensor([25.0], dtype=torch.float64))
    across = torch.stack([-theta[1], theta[0]])
    line = 0.7 * theta + t[:, None] * across
    assert_close(torch.trapezoid(radon.density(line), t), radon.radon(theta, torch.tensor([0.7]).double())[0])
    assert_close(torch.trapezoid(radon.radon(theta, t), t), torch.tensor(1.0, dtype=torch.float64))


def test_slices_stay_under_alpha_times_the_exact_distance_which_shifts_reach() -> None:
    numbers = table("radon")
    ratio = numbers["sliced"] / (numbers["alpha"] * numbers["exact"])
    assert ratio.max() <= 1 + 1e-4  # 180 directions stand for all
    assert (ratio[numbers["part"] == "shift"] - 1).abs().max() < 1e-4
    assert ratio[numbers["part"] == "shape"].min() < 0.98


def test_shift_factors_are_those_that_1_22_lies_among() -> None:
    factors = [dimension.shift_factor(d) for d in (2, 8, 1024)]
    assert factors == pytest.approx([1.111, 1.215, 1.253], abs=5e-4)
    assert factors[0] == pytest.approx(math.pi / math.sqrt(8))


def test_1_22_fits_the_mean_of_a_shift_s_slices_and_the_square_needs_no_factor() -> None:
    numbers = table("dimension").query("slices == 1000")
    ratio = (numbers["estimate"] / numbers["w2"]).groupby([numbers["case"], numbers["average"], numbers["d"]]).median()
    for d in SMALL["dimension"]["dimensions"]:
        assert ratio["shift", "mean", d] == pytest.approx(dimension.FACTOR / dimension.shift_factor(d), rel=0.06)
        assert ratio["shift", "square", d] == pytest.approx(1, rel=0.06)
        noise = 3 * math.sqrt(2.5 / 1000 / d)  # of the samples' widths: three deviations of 2 s_y - s_x
        assert ratio["scale", "square", d] == pytest.approx(1, rel=0.02 + noise)
        assert ratio["scale", "mean", d] == pytest.approx(1.22, rel=0.02 + noise)


def test_the_best_slice_of_a_moving_gaussian_is_above_the_mean_and_follows_the_shift() -> None:
    value = table("moving").pivot(index="shift", columns="distance", values="value")
    assert value["exact"].to_numpy() == pytest.approx(value.index.to_numpy())
    assert (value["max"] >= value["linear"]).all()
    assert value.loc[4, "max"] == pytest.approx(4, rel=0.05)
    assert value.loc[4, "linear"] == pytest.approx(4 / math.sqrt(10), rel=0.06)
    for name in moving.NAMES:
        assert value[name].is_monotonic_increasing, name


# ---- plans ----


def test_equal_weights_have_a_map_and_half_as_many_targets_again_split_mass() -> None:
    numbers = table("plans")
    equal, split = (numbers[numbers["part"] == f"{name}.plan"] for name in ("equal", "split"))
    assert sorted(equal["source"]) == sorted(equal["target"]) == [1, 2, 3, 4]
    assert split.groupby("source")["target"].nunique().min() >= 2  # 1/4 is more than any target takes
    assert split.groupby("source")["mass"].sum().to_numpy() == pytest.approx(1 / 4)
    assert split.groupby("target")["mass"].sum().to_numpy() == pytest.approx(1 / 6)


def test_monge_s_map_is_the_cheapest_between_its_gaussians() -> None:
    x = cloud(400)
    assert exact_plan(x, plans.monge(x))[1] == pytest.approx(float((plans.monge(x) - x).square().sum(1).mean()))
    ends = table("plans", many=400).query("part == 'gaussian.map'")
    error = (ends["plan_x"] - ends["to_x"]) ** 2 + (ends["plan_y"] - ends["to_y"]) ** 2
    assert error.mean() < 0.1 * float(plans.SCALE.square().sum())  # of the targets' variance


# ---- critics ----


def test_divergences_of_separating_supports_in_closed_form() -> None:
    assert supports.truth("lines", 0) == (0, 0)
    assert supports.truth("lines", 0.01) == (math.log(2), 0.01)
    assert supports.truth("squares", 0.5) == (math.log(2) / 2, 0.5)
    assert supports.truth("squares", 3) == (math.log(2), 3)


def test_a_critic_finds_log_2_for_disjoint_supports_and_bounds_the_rest_from_below() -> None:
    numbers = table("supports")
    apart = numbers[numbers["js_exact"] == math.log(2)]
    assert len(apart) == 3
    assert (apart["js"] - math.log(2)).abs().max() < 0.01
    assert (numbers["js"] <= numbers["js_exact"] + 0.03).all()
    assert (numbers["w1"] - numbers["w1_exact"]).abs().max() < 0.12


def test_clipped_weights_stay_in_their_box_and_penalised_slopes_come_to_1() -> None:
    options = SMALL["clipping"]
    for objective, lowest, highest in ((Clipping(rounds=1, bound=0.01), 0, 0.1), (None, 0.7, 1.3)):
        toy = clipping.train(objective or GradientPenalty(rounds=1, weight=10), clipping.ring, options, generator())
        slope = clipping.slopes(toy.critic, clipping.ring(300, generator(1))).median()
        assert lowest <= slope <= highest
        assert (max(weight.abs().max() for weight in toy.critic.parameters()) <= 0.01) == (objective is not None)


def test_a_penalised_critic_is_worth_much_of_w1_and_a_clipped_one_nothing() -> None:
    worth = table("clipping").query("part == 'critic'").assign(worth=lambda of: of["dual"] / of["exact"])
    by = worth.groupby("method")["worth"]
    assert by.max()["clipping"] < 0.05
    assert by.min()["penalty"] > 0.4
    assert by.max()["penalty"] < 1.1


def test_slopes_of_a_linear_critic() -> None:
    critic = torch.nn.Linear(2, 1)
    assert_close(clipping.slopes(critic, torch.randn(5, 2)), critic.weight.detach().norm().expand(5))
