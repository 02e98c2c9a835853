"""The second sampler, ways between codes, and the plane that codes are shown in: closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.entries import AUTOENCODERS, DATASET, MODELS, SETTINGS, entry, images
from torch.testing import assert_close

from wae.errors import UserError
from wae.metrics.codes.expost import Mixture, fit_mixture
from wae.metrics.codes.latent import against_prior
from wae.metrics.codes.paths import PATHS, linear, spherical
from wae.metrics.codes.plane import least_alike
from wae.metrics.evaluate import evaluate
from wae.models.compose import build
from wae.models.priors import Gaussian


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ---- the mixture ------------------------------------------------------------


def test_one_component_is_the_codes_own_gaussian() -> None:
    codes = torch.randn(500, 3, generator=generator()) @ torch.tensor([[2.0, 0, 0], [1, 1, 0], [0, 0, 0.1]])
    mixture = fit_mixture(codes, 1, seed=1)
    assert_close(mixture.means[0], codes.mean(0))
    assert_close(mixture.factors[0] @ mixture.factors[0].T, codes.T.cov(correction=0), rtol=1e-3, atol=2e-6)


def test_samples_have_the_mixture_s_weights_means_and_covariances() -> None:
    means = torch.tensor([[-10.0, 0], [10, 0]])
    factors = torch.tensor([[[1.0, 0], [0.5, 0.2]], [[0.3, 0], [0, 2.0]]])
    drawn = Mixture(torch.tensor([0.25, 0.75]), means, factors).sample(20000, generator())
    left = drawn[:, 0] < 0
    assert float(left.double().mean()) == pytest.approx(0.25, abs=0.01)
    for part, mean, factor in ((drawn[left], means[0], factors[0]), (drawn[~left], means[1], factors[1])):
        assert_close(part.mean(0), mean, rtol=0, atol=0.06)
        assert_close(part.T.cov(), factor @ factor.T, rtol=0, atol=0.15)


def test_two_clouds_are_told_apart() -> None:
    codes = torch.cat([torch.randn(300, 2, generator=generator()) - 8, torch.randn(100, 2, generator=generator()) + 8])
    mixture = fit_mixture(codes, 2, seed=1)
    order = mixture.means[:, 0].argsort()
    assert_close(mixture.weights[order], torch.tensor([0.75, 0.25]))
    assert_close(mixture.means[order], torch.stack([codes[:300].mean(0), codes[300:].mean(0)]), rtol=0, atol=1e-4)


def test_collapsed_codes_give_collapsed_samples() -> None:
    drawn = fit_mixture(torch.full((50, 3), 2.0), 4, seed=1).sample(10, generator())
    assert_close(drawn, torch.full((10, 3), 2.0), rtol=0, atol=0.01)


def test_it_makes_a_generator_of_a_plain_auto_encoder() -> None:
    """Codes far from the prior: the prior's samples are not what the second sampler decodes."""
    settings = SETTINGS | {"mixture": {"components": 1, "images": 45}}
    model = build(DATASET, entry("ae"), generator())
    made = evaluate(model, images(), images(60), {}, settings, device="cpu", generator=generator(1))
    assert made.images["expost"].shape == made.images["samples"].shape
    assert (made.images["expost"] != made.images["samples"]).any()
    assert made.metrics["sharpness_expost"].n == made.metrics["sharpness"].n == 40
    assert "a mixture of 1 Gaussians fitted to 45 training codes" in made.metrics["sharpness_expost"].protocol
    assert "fid_expost" not in made.metrics  # what was not measured has no place in the file


@pytest.mark.parametrize("name", MODELS)
def test_who_has_codes_has_the_second_sampler(name: str) -> None:
    model = build(DATASET, entry(name), generator())
    made = evaluate(model, images(), images(60), {}, SETTINGS, device="cpu", generator=generator(1))
    assert ("expost" in made.images) == ("latent" in made.images) == (name in AUTOENCODERS)


def test_the_mixture_is_fitted_to_training_images_that_the_seed_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 training images in the order of their brightness, the first 30 are the dark ones."""
    fitted: list[torch.Tensor] = []
    fit = lambda codes, *options: fitted.append(codes) or fit_mixture(codes, *options)
    monkeypatch.setattr("wae.metrics.codes.report.fit_mixture", fit)
    monkeypatch.setattr("wae.metrics.codes.report.encoded", lambda model, x, *_: torch.from_numpy(x[:, 0, 0, :2] / 1.0))
    monkeypatch.setattr("wae.metrics.evaluate.code_measures", lambda *_: ({}, {}))
    training = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None, None], (200, 1, 8, 8))
    model = build(DATASET, entry("ae", network={**entry("ae")["network"], "latent": 2}), generator())
    made = evaluate(model, training, images(60), {}, SETTINGS, device="cpu", generator=generator(1))
    (codes,) = fitted
    assert len(codes[:, 0].unique()) == 30
    assert codes.max() > 150
    assert "fitted to 30 of 200 training codes" in made.metrics["sharpness_expost"].protocol


def test_too_few_training_images_are_counted() -> None:
    with pytest.raises(UserError, match=r"evaluation\.mixture\.images takes 30 images, but this split has 20"):
        evaluate(
            build(DATASET, entry("ae"), generator()), images(20), images(60), {}, SETTINGS,
            device="cpu", generator=generator(1),
        )  # fmt: skip


# ---- ways -------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_ways_begin_and_end_where_they_should(path: str) -> None:
    a, b = torch.randn(2, 5, 4, generator=generator(), dtype=torch.float64)
    for t, end in ((0.0, a), (1.0, b)):
        assert_close(PATHS[path](a, b, torch.tensor([t], dtype=torch.float64)), end)


def test_a_great_circle_keeps_the_norm_and_an_even_pace() -> None:
    a, b = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    t = torch.linspace(0, 1, 7)[:, None]
    angles = t * math.pi / 2
    assert_close(spherical(a, b, t), 3 * torch.cat([angles.cos(), angles.sin()], 1))


@pytest.mark.parametrize("b", [[2.0, 0.0], [-1.0, 0.0], [1.0, 1e-6], [0.0, 0.0]])
def test_where_no_circle_is_singled_out_it_is_straight(b: list[float]) -> None:
    a, t = torch.tensor([1.0, 0.0]), torch.tensor([0.3])
    assert_close(spherical(a, torch.tensor(b), t), linear(a, torch.tensor(b), t), rtol=0, atol=1e-5)


# ---- the plane --------------------------------------------------------------


def test_the_plane_holds_the_two_directions_that_differ() -> None:
    x, y = torch.randn(2, 2000, 6, generator=generator())
    turn = torch.linalg.qr(torch.randn(6, 6, generator=generator(2))).Q
    codes = (x * torch.tensor([4.0, 1, 1, 1, 1, 1]) + torch.tensor([0, 2.0, 0, 0, 0, 0])) @ turn
    axes = least_alike(codes, y, generator(3))
    assert_close(axes.T @ axes, torch.eye(2, dtype=torch.float64))
    cosines = (turn[:2].double() @ axes).abs()
    assert cosines.diagonal().min() > 0.99, cosines


def test_one_dimension_has_no_second_direction() -> None:
    axes = least_alike(torch.randn(50, 1, generator=generator()) + 1, torch.randn(50, 1), generator())
    assert axes.abs().tolist() == [[1.0, 0.0]]


# ---- moments ----------------------------------------------------------------


def test_moments_stand_in_the_prior_s_units() -> None:
    prior = Gaussian(4, variance=2.0)
    uniform = torch.rand(5000, 4, generator=generator()) * 12**0.5 + torch.tensor([3.0, 0, 0, 0]) - 3**0.5
    values = against_prior(uniform, prior, generator(1))
    assert values["latent_mean"] == pytest.approx(9 / 2, rel=0.03)
    assert values["latent_variance"] == pytest.approx(1 / 2, rel=0.03)
    assert values["latent_kurtosis"] == pytest.approx(9 / 5, rel=0.03)  # of a uniform distribution
    assert values["latent_kurtosis_floor"] == pytest.approx(3, rel=0.03)
    assert values["latent_variance_floor"] == pytest.approx(1, rel=0.03)


def test_the_plane_s_coordinates_are_those_of_codes_and_prior() -> None:
    model = build(DATASET, entry("vae"), generator())
    made = evaluate(model, images(), images(60), {}, SETTINGS, device="cpu", generator=generator(1))
    assert made.images["latent"].shape == (2, 40, 2)
    assert np.isfinite(made.images["latent"]).all()
