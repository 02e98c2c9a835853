"""KL in nats, active units and mutual information: closed forms, and which models have which."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.entries import AUTOENCODERS, DATASET, MODELS, SETTINGS, entry, images
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from wae.metrics.codes import information
from wae.metrics.codes.information import active_units, kl_to_normal, mutual_information
from wae.metrics.draws import drawn
from wae.metrics.evaluate import Evaluation, evaluate
from wae.models.compose import build
from wae.models.game import Posterior
from wae.models.penalties import Kl
from wae.models.priors import Gaussian

NAMES = {"kl", "active_units", "mutual_information"}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


# ---- KL ----


def test_the_kl_by_hand() -> None:
    mean, log_variance = torch.tensor([[1.0, -2.0]]).double(), torch.tensor([[0.0, math.log(4)]]).double()
    # N(1, 1) from N(0, 1): 1 / 2. N(-2, 4) from N(0, 1): (4 + 4 - 1 - ln 4) / 2.
    assert_close(kl_to_normal(mean, log_variance, 1.0).item(), 0.5 + (7 - math.log(4)) / 2)
    assert kl_to_normal(torch.zeros(3, 2), torch.full((3, 2), math.log(2.0)), 2.0).abs().max() < 1e-7


@pytest.mark.parametrize("variance", [0.5, 1.0, 4.0])
def test_the_kl_is_that_of_torchs_distributions_and_of_the_penalty(variance: float) -> None:
    mean, log_variance = normal(20, 3), normal(20, 3, seed=1)
    found = kl_to_normal(mean, log_variance, variance)
    prior = Normal(torch.zeros((), dtype=torch.float64), math.sqrt(variance))
    assert_close(found, kl_divergence(Normal(mean, (log_variance / 2).exp()), prior).sum(1))
    penalty = Kl(Gaussian(3, variance=variance))
    assert_close(found.mean(), penalty(Posterior(mean, mean, log_variance), mean, generator()))


# ---- active units ----


@pytest.mark.parametrize(("variance", "expected"), [(1.0, 2), (10.0, 1), (0.01, 3), (1000.0, 0)])
def test_units_are_active_above_a_hundredth_of_the_priors_variance(variance: float, expected: int) -> None:
    steps = torch.tensor([-1.0, 0.0, 1.0]).double()  # of variance 1
    mean = torch.stack([steps, 0.2 * steps, 0.05 * steps, torch.full((3,), 7.0).double()], 1)
    assert active_units(mean, variance) == expected


# ---- mutual information ----


def test_posteriors_that_are_all_equal_say_nothing() -> None:
    assert mutual_information(normal(50, 4), torch.ones(50, 4), torch.zeros(50, 4)) == pytest.approx(0, abs=1e-12)


def test_posteriors_that_do_not_overlap_say_which_image_it_is_log_n() -> None:
    mean = torch.arange(70).double()[:, None] * 1e4
    assert mutual_information(mean + normal(70, 1), mean, torch.zeros(70, 1)) == pytest.approx(math.log(70), abs=1e-12)


def test_two_posteriors_by_numerical_integration() -> None:
    """I = ln 2 - E ln(1 + exp(-2 m^2 - 2 m e)), e standard normal, for N(m, 1) and N(-m, 1)."""
    m, n = 0.8, 4000
    e = normal(n, 1)
    mean = torch.full((n, 1), m, dtype=torch.float64)
    mean[1::2] *= -1
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    lost = (np.log1p(np.exp(-2 * m**2 - 2 * m * points)) * weights).sum() / weights.sum()
    spread = np.log1p(np.exp(-2 * m**2 - 2 * m * e.numpy())).std() / math.sqrt(n)
    found = mutual_information(mean + e, mean, torch.zeros_like(mean))
    assert found == pytest.approx(math.log(2) - lost, abs=4 * spread)


def test_a_gaussian_channel_says_half_the_log_of_one_plus_its_ratio() -> None:
    """Means N(0, a), posteriors N(mean, b): I = d / 2 ln(1 + a / b); and mean KL = I + KL(aggregate | prior)."""
    n, a, b = 2000, 0.75, 0.25
    mean = normal(n, 2) * math.sqrt(a)
    log_variance = torch.full_like(mean, math.log(b))
    codes = mean + normal(n, 2, seed=1) * math.sqrt(b)
    exact = math.log(1 + a / b)
    assert mutual_information(codes, mean, log_variance) == pytest.approx(exact, abs=0.05)
    # The aggregate is N(0, 1), the prior itself, so all of the KL is information.
    assert kl_to_normal(mean, log_variance, 1.0).mean().item() == pytest.approx(exact, abs=0.05)


def test_blocks_of_codes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = normal(50, 3), normal(50, 3, seed=1), normal(50, 3, seed=2)
    whole = mutual_information(*parts)
    monkeypatch.setattr(information, "ROWS", 7)
    assert mutual_information(*parts) == pytest.approx(whole, rel=1e-14)


# ---- models ----


def measured(model: nn.Module) -> Evaluation:
    return evaluate(model, images(), images(60), {}, SETTINGS, device="cpu", generator=generator(1))


@pytest.mark.parametrize("name", MODELS)
def test_point_masses_have_active_units_alone_and_generators_nothing(name: str) -> None:
    metrics = measured(build(DATASET, entry(name), generator())).report()
    assert {key for key in metrics if key in NAMES} == (NAMES if name in AUTOENCODERS else set())
    numbers = {key for key in NAMES & metrics.keys() if metrics[key]["value"] is not None}
    expected = NAMES if entry(name).get("posterior") == {"kind": "gaussian"} else {"active_units"}
    assert numbers == (expected if name in AUTOENCODERS else set())


def test_a_prior_that_is_not_gaussian_has_no_kl() -> None:
    options = entry("vae", prior={"kind": "cube", "radius": 1.0}, penalty={"kind": "none"})
    report = measured(build(DATASET, options, generator())).report()
    assert report["kl"]["value"] is None
    assert report["mutual_information"]["value"] is not None


@pytest.mark.parametrize("name", ["vae", "acai"])
def test_a_collapsed_posterior_has_no_kl_no_active_unit_and_no_information(name: str) -> None:
    model = build(DATASET, entry(name, posterior={"kind": "gaussian"}), generator())
    with torch.no_grad():
        model.encode.__self__.get_submodule("encoder" if name == "vae" else "model.encoder")[-1].weight.zero_()
    report = measured(model).report()
    expected = dict.fromkeys(NAMES, pytest.approx(0, abs=1e-12))
    assert {key: report[key]["value"] for key in NAMES} == expected


def test_the_kl_and_the_units_of_a_model_are_those_of_its_encoder() -> None:
    model = build(DATASET, entry("vae"), generator())
    with torch.no_grad():
        model.encoder[-1].weight.mul_(100)
        used = drawn(images(60), 40, SETTINGS["seed"], "evaluation.samples")
        mean, log_variance = model.encoder(torch.tensor(used).float() / 255).double().chunk(2, 1)
    found = measured(model).metrics
    assert found["kl"].value == pytest.approx(kl_to_normal(mean, log_variance, 1.0).mean().item(), rel=1e-6)
    assert found["active_units"].value == active_units(mean, 1.0)
    assert found["kl"].n == found["active_units"].n == found["mutual_information"].n == 40
