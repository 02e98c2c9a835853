"""Codes against the prior: floors, exact shifts, and that a model's numbers come with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.entries import AUTOENCODERS, DATASET, MODELS, SETTINGS, entry, images

from wae.metrics.codes.latent import against_prior, distances
from wae.metrics.evaluate import evaluate
from wae.models.compose import build
from wae.models.priors import Gaussian


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_draws_of_the_prior_are_as_far_as_the_floor() -> None:
    prior = Gaussian(8, variance=2.0)
    runs = [against_prior(prior.sample(500, generator(seed)), prior, generator(100 + seed)) for seed in range(8)]
    for name in ("latent_mmd", "latent_sw", "latent_bures"):
        values, floors = (np.array([run[key] for run in runs]) for key in (name, f"{name}_floor"))
        assert abs(values.mean() - floors.mean()) < 3 * values.std(ddof=1) / np.sqrt(len(values)) + 3 * floors.std()
    # A U-statistic is 0 on average; the others are not below 0.
    assert min(run["latent_mmd"] for run in runs) < 0 < max(run["latent_mmd"] for run in runs)
    assert min(run["latent_sw_floor"] for run in runs) > 0


def test_a_shift_is_seen_whole_by_the_moments_and_by_its_share_in_slices() -> None:
    """W_2^2 of the Gaussians is |shift|^2, SW_2^2 that over d."""
    prior, shift = Gaussian(4, variance=1.0), torch.tensor([3.0, 0, 0, 0])
    values = against_prior(prior.sample(4000, generator()) + shift, prior, generator(1))
    assert values["latent_bures"] == pytest.approx(9, rel=0.05)
    assert values["latent_sw"] == pytest.approx(9 / 4, rel=0.2)  # 200 directions
    assert values["latent_mmd"] > 100 * abs(values["latent_mmd_floor"])


@pytest.mark.parametrize("name", MODELS)
def test_models_with_codes_have_the_numbers_and_others_none(name: str) -> None:
    model = build(DATASET, entry(name), generator())
    made = evaluate(model, images(), images(60), {}, SETTINGS, device="cpu", generator=generator(1))
    latent = {key for key in made.metrics if key.startswith("latent_")}
    assert len(latent) == (12 if name in AUTOENCODERS else 0)
    assert all(made.metrics[key].n == 40 for key in latent)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_a_code_of_one_number_is_measured(name: str) -> None:
    options = entry(name)
    options["network"]["latent"] = 1
    model = build(DATASET, options, generator())
    made = evaluate(model, images(), images(60), {}, SETTINGS, device="cpu", generator=generator(1))
    latent = {key: of.value for key, of in made.metrics.items() if key.startswith("latent_")}
    assert len(latent) == 12
    assert all(value is not None and np.isfinite(value) for value in latent.values())


def test_in_one_dimension_the_bures_distance_is_that_of_two_normal_distributions() -> None:
    x, prior = torch.randn(50, 1, generator=generator()) * 3 + 1, Gaussian(1, variance=1.0)
    found = distances(1.0, torch.ones(1, 1).double())["latent_bures"](
        x.double(), y := prior.sample(50, generator(2)).double()
    )
    assert found.item() == pytest.approx(((x.mean() - y.mean()) ** 2 + (x.std() - y.std()) ** 2).item())


def test_the_numbers_leave_the_samples_alone() -> None:
    """They are drawn after them: the same generator gives the same pictures as without."""
    model = build(DATASET, entry("vae"), generator())
    made = evaluate(model, images(), images(60), {}, SETTINGS, device="cpu", generator=generator(1))
    alone = model.generate(16, generator(1))
    expected = np.rint(255 * alone.detach().double().numpy()).astype(np.uint8)
    assert (made.images["samples"] == expected[:9]).all()


def test_the_codes_are_of_held_out_images_that_the_seed_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 held-out images in the order of their brightness, the first 20 are the dark ones."""
    seen: list[np.ndarray] = []

    def encoded(model: object, x: np.ndarray, *rest: object) -> torch.Tensor:
        seen.append(x)
        return torch.from_numpy(x[:, 0, 0, :2]).float()

    monkeypatch.setattr("wae.metrics.codes.report.CODES", 20)
    monkeypatch.setattr("wae.metrics.codes.report.encoded", encoded)
    held_out = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None, None], (200, 1, 8, 8))
    model = build(DATASET, entry("ae", network={**entry("ae")["network"], "latent": 2}), generator())
    made = evaluate(model, images(), held_out, {}, SETTINGS, device="cpu", generator=generator(1))
    levels = seen[0][:, 0, 0, 0]
    assert len(np.unique(levels)) == 20
    assert levels.max() > 150
    assert (made.metrics["latent_sw"].n, made.metrics["latent_sw"].reference) == (
        20,
        "20 of 200 held-out images, drawn by seed",
    )
