"""Training: the same bytes again, toys are learnt, mistakes stop it with a sentence."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from support.entries import AUTOENCODERS, DATASET, MODELS, adam, entry, equal, images, run, trained
from torch.testing import assert_close

from wae.models.compose import build
from wae.progress import Progress
from wae.training.divergence import Diverged
from wae.training.optim import constant, exponential, prepare, steps
from wae.training.run import Run
from wae.training.train import train

EVERY = pytest.mark.parametrize("name", MODELS)


# ---- the same bytes ----


@EVERY
def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(name):
    once = trained(name)
    torch.manual_seed(12345)  # torch's own generator has no part in it
    assert equal(once, trained(name))
    assert not equal(once, train(DATASET, entry(name), images(), seed=2, device="cpu"))


def test_a_memory_mapped_array_gives_the_same_bytes(tmp_path):
    np.save(tmp_path / "x.npy", images())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert equal(trained("vae", mapped), trained("vae"))


def test_an_epoch_sees_each_image_once_in_an_order_of_its_own():
    one = run("wae-mmd")
    orders = []
    while not one.done:
        one.advance()
        if one._order is not None:
            orders.append(tuple(one._order.flatten().tolist()))
    first, second = sorted(set(orders), key=orders.index)
    for order in (first, second):
        assert len(order) == len(set(order)) == 40
        assert set(order) <= set(range(45))
    assert first != second


# ---- what is learnt ----


def correlated(n: int = 2000) -> np.ndarray:
    """(n, 1, 2, 2) pixels: a plane through 4 dimensions with a shifted, correlated Gaussian on it."""
    plane = np.array([[0.12, 0.0], [0.08, 0.06], [-0.1, 0.05], [0.02, -0.09]])
    points = np.array([0.35, 0.6, 0.5, 0.45]) + np.random.default_rng(0).normal(size=(n, 2)) @ plane.T
    return (points.clip(0, 1) * 255).round().astype(np.uint8).reshape(n, 1, 2, 2)


SHARP = {"kind": "l2sq", "factor": 100.0}  # pixels here vary by 0.1
TOYS: dict[str, dict[str, Any]] = {
    "vae": {"cost": {"kind": "gaussian", "variance": 3e-4}},
    "wae-gan": {"penalty": {"kind": "adversarial", "layers": 2, "units": 64, "rounds": 2}},
}
RATES = {"autoencoder": 1e-2, "latent_critic": 5e-3, "interpolation_critic": 1e-3}


def learnt(name: str, **changes: Any) -> tuple[float, float]:
    """How far generated pixels are from the data, 1 at the bound; the share of the variance not reconstructed."""
    network = {"kind": "mlp", "latent": 2, "layers": 1, "units": 32, "output": "sigmoid"}
    common = {"network": network, "cost": SHARP, "epochs": 30, "batch": 100, "noise": 0.0, "pretraining": None}
    options = entry(name, **{**common, **TOYS.get(name.removeprefix("acai-"), {}), **changes})
    options["optimisers"] = {player: adam(RATES[player]) for player in options["optimisers"]}
    dataset = {"shape": [1, 2, 2]}
    data = correlated()
    model = build(dataset, options)
    model.load_state_dict(train(dataset, options, data, seed=1, device="cpu").state)
    x = torch.tensor(data) / 255
    with torch.no_grad():
        drawn = model.generate(len(data), torch.Generator().manual_seed(0)).flatten(1)
        lost = (model.decode(model.encode(x)) - x).square().mean() / x.var(0).mean()
    x = x.flatten(1)
    mean = (drawn.mean(0) - x.mean(0)).norm() / x.T.cov().trace().sqrt()
    covariance = (drawn.T.cov() - x.T.cov()).norm() / x.T.cov().norm()
    return max(mean.item() / 0.1, covariance.item() / 0.25), lost.item()


PENALISED = [name for name in AUTOENCODERS if entry(name)["penalty"]["kind"] != "none"]


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_a_shifted_correlated_gaussian_is_learnt(name):
    distance, lost = learnt(name)
    assert lost < 0.02
    assert distance < 1 or name not in PENALISED


@pytest.mark.parametrize("name", PENALISED)
def test_without_its_penalty_it_is_not(name):
    """The model reconstructs as well, but what it generates is something else."""
    distance, lost = learnt(name, weight=0.0)
    assert distance > 1.5
    assert lost < 0.02


def test_pretraining_brings_the_codes_to_the_priors_mean_and_covariance():
    def distance(pretraining: dict[str, Any] | None) -> float:
        one = Run(DATASET, entry("wae-mmd", pretraining=pretraining), images(500), seed=1, device="cpu")
        while one._warming:
            one.advance()
        codes = one.model.encoder(torch.tensor(images(500)) / 255)
        return (codes.mean(0).square().mean() + (codes.T.cov() - torch.eye(3)).square().mean()).item()

    assert distance({"steps": 200, "sample": 500, "tolerance": 1e-9}) < 0.1 * distance(None)


def test_pretraining_stops_at_its_tolerance():
    for tolerance, expected in ((1e9, 1), (1e-9, 7)):
        one = run("wae-mmd", pretraining={"steps": 7, "sample": 20, "tolerance": tolerance})
        taken = 0
        while one._warming:
            one.advance()
            taken += 1
        assert (taken, one.played) == (expected, 0)


# ---- history, schedules, progress ----


def test_the_history_has_every_term_and_rate_of_every_player():
    rows = trained("wae-gan").history
    terms = {
        *("autoencoder.reconstruction", "autoencoder.penalty", "autoencoder.lr", "autoencoder.effective_lambda"),
        *("latent_critic.prior", "latent_critic.codes", "latent_critic.lr"),
    }
    assert [row["epoch"] for row in rows] == [1, 2]
    assert [row["autoencoder.lr"] for row in rows] == [1e-3, 1e-4]
    assert all(set(row) == {"epoch", *terms} for row in rows)
    assert [row["autoencoder.effective_lambda"] for row in rows] == [200, 200]


def test_a_row_is_the_mean_over_the_rounds_of_the_epoch():
    data = images(10)
    options = {"network": {"kind": "mlp", "latent": 2, "layers": 0, "units": 1, "output": "sigmoid"}, "epochs": 1}
    frozen = {"autoencoder": {**adam(), "lr": 1e-30}}
    one = Run(DATASET, entry("vae", **options, batch=5, optimisers=frozen), data, seed=1, device="cpu")
    with torch.no_grad():
        for parameter in one.model.parameters():
            parameter.zero_()
    while not one.done:
        one.advance()
    assert_close(one.history[0]["autoencoder.reconstruction"], 64 * np.log(2), rtol=1e-6, atol=0)
    assert_close(one.history[0]["autoencoder.penalty"], 0.0)


def test_schedules_are_fractions_of_the_run():
    paper = steps(at=(0.3, 0.5, 1.0), factors=(0.5, 0.1, 0.01))
    assert [paper(epoch, 100) for epoch in (0, 29, 30, 49, 50, 99, 100)] == [1, 1, 0.5, 0.5, 0.1, 0.1, 0.01]
    assert [paper(epoch, 10) for epoch in (2, 3, 5)] == [1, 0.5, 0.1]
    # 0.07 * 100 is above 7 in binary.
    assert steps(at=(0.07,), factors=(0.5,))(7, 100) == 0.5
    assert constant()(99, 100) == 1
    decay = exponential(final=0.01)
    assert_close([decay(epoch, 50) for epoch in (0, 25, 50)], [1.0, 0.1, 0.01])


@pytest.mark.parametrize("at", [(0.5,), (0.5, 0.3), ()])
def test_a_schedule_that_makes_no_sense_is_refused(at):
    with pytest.raises(ValueError, match="as many"):
        steps(at=at, factors=(0.5, 0.1))


def test_a_log_gets_one_line_an_epoch():
    stream = io.StringIO()
    with Progress("digits/vae", Console(file=stream, width=40, soft_wrap=True)) as progress:
        trained("vae", report=progress)
    first, *lines = stream.getvalue().splitlines()
    assert first == "digits/vae: autoencoder.effective_lambda is 1"
    assert [line.split("  ")[0] for line in lines] == ["digits/vae: epoch 1/2", "digits/vae: epoch 2/2"]
    assert all("autoencoder.reconstruction" in line and "left" in line for line in lines)


# ---- edges and mistakes ----


def test_no_epochs_give_the_initial_model(tmp_path):
    untouched = train(DATASET, entry("wae-mmd", epochs=0), images(), seed=1, device="cpu", checkpoint=tmp_path / "c")
    initial = run("wae-mmd").weights()
    assert untouched.history == []
    assert all(torch.equal(untouched.state[key], initial[key]) for key in initial)


def test_a_decomposition_that_fails_stops_the_run_as_a_divergence():
    wild = {"autoencoder": {**adam(), "lr": 1e30}}
    with pytest.raises(Diverged, match=r"^epoch 1: linalg\.svd: .*non-finite values.*; a smaller learning rate"):
        train(DATASET, entry("wwae", optimisers=wild, pretraining=None), images(), seed=1, device="cpu")


@pytest.mark.parametrize("name", ["vae", "wae-mmd"])
def test_a_loss_that_is_not_finite_stops_the_run_naming_epoch_and_term(name):
    wild = {"autoencoder": {**adam(), "lr": 1e30}}
    with pytest.raises(Diverged, match=r"^epoch 1: .*autoencoder\.(reconstruction|penalty) is (nan|inf)"):
        train(DATASET, entry(name, optimisers=wild, pretraining=None), images(), seed=1, device="cpu")


@EVERY
def test_a_divergence_in_the_last_step_is_no_finished_run(name):
    """Of one round, the mean losses are those before its steps: all are finite."""
    one = run(name)
    optimisers = entry(name)["optimisers"]
    optimisers[one.turns[-1].name]["lr"] = 1e30
    options = entry(name, epochs=1, optimisers=optimisers)
    options |= {"pretraining": None} if "pretraining" in options else {}
    with pytest.raises(Diverged, match=r"^after the last step: .* (is (nan|-?inf)|contained non-finite values)"):
        train(DATASET, options, images(10 * one.draws), seed=1, device="cpu")


@EVERY
def test_a_weight_or_running_moment_that_is_not_finite_is_named(name):
    one = run(name)
    state = one.model.state_dict()
    for key in (next(iter(state)), next(key for key in state if key.endswith("running_var"))):
        one = run(name)
        one.verify()
        one.model.state_dict()[key].view(-1)[0] = np.nan
        with pytest.raises(Diverged, match=rf"^after the last step: {key} has 1 of \d+ numbers that are not finite"):
            one.verify()


def test_a_loss_that_overflows_after_the_last_step_is_named():
    one = run("vae")
    with torch.no_grad():
        one.model.encoder[-1].bias[3:] = 2e4  # log variances whose exponential is infinite
    with pytest.raises(Diverged, match=r"^after the last step: autoencoder\.reconstruction is nan, .*penalty is inf"):
        one.verify()


@EVERY
def test_verification_leaves_the_run_as_it_was(name):
    one, other = run(name), run(name)
    for of in (one, other):
        of.advance()
    one.verify()
    while not other.done:
        one.advance()
        other.advance()
    assert all(torch.equal(value, other.weights()[key]) for key, value in one.weights().items())
    assert one.history == other.history


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match="takes 1 x 46 images, and there are only 45"):
        run("vae", batch=46)


@pytest.mark.parametrize("players", [("autoencoder",), ("autoencoder", "latent_critic", "critic"), ()])
def test_optimisers_and_players_must_agree(players):
    turns = build(DATASET, entry("wae-gan")).turns()
    with pytest.raises(ValueError, match="the players of this model are autoencoder, latent_critic"):
        prepare({player: adam() for player in players}, turns)


@pytest.mark.parametrize("data", [images().astype(np.float32), images(shape=(8, 8)), images(shape=(3, 8, 8))])
def test_images_of_another_type_or_shape_are_refused(data):
    with pytest.raises(ValueError, match=r"expected uint8 \(N, 1, 8, 8\)"):
        trained("vae", data)
