"""Penalties that are transport distances, against closed forms, and what every penalty must do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support.entries import AUTOENCODERS, FAMILY
from support.project import ROOT
from torch.testing import assert_close

from wae.config.yaml import Document
from wae.errors import UserError
from wae.models.game import Penalty, Posterior
from wae.models.penalties import PENALTIES, Bures, Nothing, Sinkhorn, Sliced
from wae.models.priors import PRIORS, Gaussian, Prior
from wae.pipeline.profile import Profile

DOUBLE = torch.float64
GENERATOR = torch.Generator()


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def unit(d: int, variance: float = 1.0) -> Gaussian:
    return Gaussian(d, variance=variance)


def of(penalty: Penalty, z: torch.Tensor, y: torch.Tensor, seed: int = 0) -> torch.Tensor:
    return penalty(Posterior(z, 0 * z), y, torch.Generator().manual_seed(seed))


def sliced(ascent: int | None = None, defining: dict[str, Any] | None = None, directions: int = 50) -> Sliced:
    return Sliced(unit(3), p=2, directions=directions, defining=defining or {"kind": "linear"}, ascent=ascent)


def whitened(n: int, d: int, seed: int = 0) -> torch.Tensor:
    z = draw(n, d, seed=seed)
    z = z - z.mean(0)
    return z @ torch.linalg.inv(torch.linalg.cholesky(z.T @ z / n)).T


def test_nothing_is_zero_and_moves_nothing():
    z = draw(4, 3).requires_grad_()
    value = of(Nothing(unit(3)), z, draw(4, 3, seed=1))
    assert value == 0
    assert not value.requires_grad


def test_bures_measures_moments_against_the_priors_variance():
    z = whitened(50, 3)
    shift, stretch = torch.tensor([1.0, -2.0, 0.0], dtype=DOUBLE), torch.tensor([1.0, 2.0, 3.0], dtype=DOUBLE)
    for variance, expected in ((1.0, 5 + 0 + 1 + 4), (4.0, 5 + 1 + 0 + 1)):
        assert_close(of(Bures(unit(3, variance)), z * stretch + shift, z).item(), float(expected))


def test_bures_averages_its_stated_bias_at_the_prior():
    for n, d, bias in ((100, 8, 0.261), (100, 64, 12.2)):
        values = torch.stack([of(Bures(unit(d)), draw(n, d, seed=s), draw(1, d)) for s in range(100)])
        assert_close(values.mean().item(), bias, rtol=0, atol=4 * values.std().item() / 10)


def test_sliced_draws_its_directions_from_the_batch():
    x, y = draw(20, 3), draw(20, 3, seed=1)
    assert torch.equal(of(sliced(), x, y), of(sliced(), x, y))
    assert not torch.equal(of(sliced(), x, y), of(sliced(), x, y, seed=1))


def test_sliced_of_a_shift_is_its_square_over_the_dimension():
    """E over directions of <theta, t>^2 = |t|^2 / d: at 20,000 directions to 2%."""
    y, t = draw(20, 3), torch.tensor([1.0, -2.0, 2.0], dtype=DOUBLE)
    assert_close(of(sliced(directions=20_000), y + t, y).item(), 9 / 3, rtol=0.02, atol=0)
    assert_close(of(sliced(ascent=10), y + t, y).item(), 9.0)


@pytest.mark.parametrize("kind", ["linear", "circular", "polynomial", "neural"])
def test_the_best_slice_is_above_every_slice_drawn(kind):
    x, y = draw(30, 3) * 2, draw(30, 3, seed=1)
    mean, best = (of(sliced(ascent, {"kind": kind}, 8), x, y) for ascent in (None, 10))
    one_by_one = [of(sliced(None, {"kind": kind}, 1), x, y, seed) for seed in range(200)]
    assert best > max(one_by_one)
    assert best > mean


def test_a_defining_function_takes_its_options():
    x, y = draw(30, 3) + 1, draw(30, 3, seed=1)
    near, far = (of(sliced(None, {"kind": "circular", "radius": r}), x, y) for r in (0.1, 1e4))
    assert_close(far, of(sliced(), x, y), rtol=1e-3, atol=0)
    assert near < 0.9 * far
    with pytest.raises(UserError, match="only odd degrees"):
        sliced(None, {"kind": "polynomial", "degree": 2})


@pytest.mark.parametrize(("kind", "truth"), [("shift", 25.0), ("variance", 16.0)])
def test_max_sliced_finds_the_truth_in_the_steps_that_training_takes(kind, truth):
    """n = 5000, d = 64, the penalty as every parameter file with a `max-swae` has it."""
    entries = [
        models["max-swae"]["penalty"]
        for name in Profile.names()
        for models in Document(ROOT / Profile.file(name)).content["models"].values()
        if "max-swae" in models
    ]
    assert entries
    for options in entries:
        penalty = Sliced(unit(64), **{key: value for key, value in options.items() if key != "kind"})
        for seed in range(2):
            x, y = whitened(5000, 64, 2 * seed).float(), whitened(5000, 64, 2 * seed + 1).float()
            e = draw(64, seed=seed).float()
            e = e / e.norm()
            x = x + 5 * e if kind == "shift" else x + 4 * (x @ e)[:, None] * e
            assert_close(of(penalty, x, y, seed).item(), truth, rtol=0.03, atol=0)


def test_sinkhorn_goes_from_the_transport_cost_to_the_means_distance():
    y, t = draw(30, 3, seed=1), torch.tensor([1.0, -2.0, 2.0], dtype=DOUBLE)
    x = 2 * draw(30, 3)
    wide = Sinkhorn(unit(3), epsilon=1e6, p=2, steps=20)
    assert_close(of(wide, x, y), (x.mean(0) - y.mean(0)).square().sum(), rtol=1e-2, atol=0)
    # A translation costs its square, exactly, at every epsilon.
    for epsilon in (0.1, 1.0, 10.0):
        assert_close(of(Sinkhorn(unit(3), epsilon=epsilon, p=2, steps=100), y + t, y).item(), 9.0, rtol=1e-2, atol=0)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_a_shift_costs_its_length_to_the_power_p(p):
    """Exactly: for a point and its shift under entropy, along a line for slices, and in any space for the best one."""
    y, t = draw(20, 3), torch.tensor([1.0, -2.0, 2.0], dtype=DOUBLE)
    linear = {"kind": "linear"}
    assert_close(of(Sinkhorn(unit(3), epsilon=0.5, p=p, steps=10), y[:1] + t, y[:1]).item(), 3.0**p)
    mean = Sliced(unit(1), p=p, directions=5, defining=linear)
    assert_close(of(mean, y[:, :1] + 3, y[:, :1]).item(), 3.0**p)
    best = Sliced(unit(3), p=p, directions=5, defining=linear, ascent=2)
    assert_close(of(best, y + t, y).item(), 3.0**p)


# ---- every penalty ----

PRIOR_OPTIONS: dict[str, dict[str, Any]] = {
    "gaussian": {"variance": 2.0},
    "cube": {"radius": 1.0},
    "sphere": {"radius": 1.0},
    "ball": {"radius": 1.0},
    "ring": {"inner": 1.0, "outer": 2.0},
    "mixture": {"components": 3, "radius": 2.0, "variance": 0.1},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "kl": {},
    "bures": {},
    "mmd": {"scales": (1.0,)},
    "sliced": {"p": 2, "directions": 5, "defining": {"kind": "linear"}, "ascent": 2},
    "sinkhorn": {"epsilon": 0.5, "p": 2, "steps": 5},
    "adversarial": {"layers": 1, "units": 4, "rounds": 1},
}


@pytest.mark.parametrize("kind", PENALTIES)
@pytest.mark.parametrize("prior", PRIORS)
def test_samples_suffice_unless_a_closed_form_is_needed(kind, prior):
    chosen: Prior = PRIORS[prior](3, **PRIOR_OPTIONS[prior])
    if prior != "gaussian" and kind in ("kl", "bures"):
        with pytest.raises(UserError, match=f"penalty {kind} needs a gaussian prior: .* for {type(chosen).__name__}"):
            PENALTIES[kind](chosen)
        return
    penalty = PENALTIES[kind](chosen, **OPTIONS[kind])
    z = draw(10, 3).float().requires_grad_()
    value = penalty(Posterior(z, z, 0 * z), chosen.sample(10, GENERATOR), GENERATOR)
    assert value.shape == ()
    if kind == "none":
        return
    value.backward()
    assert z.grad.isfinite().all()
    assert z.grad.abs().sum() > 0


def test_every_penalty_is_in_the_family():
    assert {options["penalty"]["kind"] for options in map(FAMILY.get, AUTOENCODERS)} == set(PENALTIES)
