"""Values that are right by themselves and do not fit each other are told before any job, and so is what never holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.params import DATA, Change, content, put, sentences

from wae.config.check import Mistakes, load
from wae.config.schedule import first_epoch
from wae.training.optim import steps

FAMILY, TRANSPORT = "family", "transport"
CRITIC = "latent_critic"
STEPS = ("optimisers", "autoencoder", "schedule")
CUBE, RING = {"kind": "cube", "radius": 1.0}, {"kind": "ring", "inner": 2.0, "outer": 1.0}
MIXTURE = {"kind": "mixture", "components": 4, "radius": 1.0, "variance": 1.0}


def of(model: str, *keys: str) -> tuple[str, ...]:
    return ("models", "digits", model, *keys)


def scheduled(at: list[float], factors: list[float], epochs: int = 10) -> list[Change]:
    schedule = {"kind": "steps", "at": at, "factors": factors}
    return [put(schedule, *of("vae", *STEPS)), put(epochs, *of("vae", "epochs"))]


# name -> (profile, changes of its content, words of the one sentence)
MISTAKES: dict[str, tuple[str, list[Change], list[str]]] = {
    "kl of point masses": (FAMILY, [put({"kind": "deterministic"}, *of("vae", "posterior"))],
        ["vae.penalty.kind is 'kl'", "a gaussian posterior only", "posterior.kind is 'deterministic'"]),
    "annealing of other lengths": (FAMILY,
        [put({"kind": "steps", "at": [0.5], "factors": [1.0, 2.0]}, *of("vae", "annealing"))],
        ["vae.annealing has 1 fractions in `at` and 2 in `factors`"]),
    "annealing that no epoch has": (FAMILY,
        [put({"kind": "steps", "at": [0.9], "factors": [2.0]}, *of("vae", "annealing")), put(5, *of("vae", "epochs"))],
        ["vae.annealing has factor 2.0 at 0.9, which none of the 5 epochs has"]),
    "kl and a cube": (FAMILY, [put(CUBE, *of("vae", "prior"))],
        ["vae.penalty.kind is 'kl'", "a gaussian prior only", "prior.kind is 'cube'"]),
    "bures and a cube": (FAMILY, [put(CUBE, *of("wwae", "prior"))],
        ["wwae.penalty.kind is 'bures'", "a gaussian prior only"]),
    "mixture on a line": (FAMILY, [put(MIXTURE, *of("wae-mmd", "prior")), put(1, *of("wae-mmd", "network", "latent"))],
        ["wae-mmd.prior is a mixture", "needs two dimensions; network.latent is 1"]),
    "mixture on a line, of a generator": (FAMILY,
        [put(MIXTURE, *of("gan", "prior")), put(1, *of("gan", "network", "latent"))],
        ["gan.prior is a mixture"]),
    "mixture of one": (FAMILY, [put(MIXTURE | {"components": 1}, *of("wae-mmd", "prior"))],
        ["prior.components is 1", "greater than or equal to 2"]),
    "ring inside out": (FAMILY, [put(RING, *of("wae-mmd", "prior"))],
        ["wae-mmd.prior has inner 2.0 and outer 1.0; inner is the smaller one"]),
    "ring without a width": (FAMILY, [put(RING | {"inner": 1.0}, *of("gan", "prior"))], ["gan.prior has inner 1.0"]),
    "even degree": (FAMILY, [put({"kind": "polynomial", "degree": 2}, *of("gswae", "penalty", "defining"))],
        ["defining.degree is 2: it must be odd"]),
    "more steps than factors": (FAMILY, scheduled([0.3, 0.5], [0.5]),
        ["vae.optimisers.autoencoder.schedule has 2 fractions in `at` and 1 in `factors`"]),
    "steps backwards": (FAMILY, scheduled([0.5, 0.3], [0.5, 0.1]),
        ["schedule has `at` [0.5, 0.3]; its fractions increase"]),
    "two steps at once": (FAMILY, scheduled([0.5, 0.5], [0.5, 0.1]), ["its fractions increase"]),
    "a factor after the last epoch": (FAMILY, scheduled([0.5455, 0.9091], [0.5, 0.1]),
        ["schedule has factor 0.1 at 0.9091, which none of the 10 epochs has", "begins at 9/10 of the run, 0.9"]),
    "a factor that the next one replaces": (FAMILY, scheduled([0.41, 0.45], [0.5, 0.1]),
        ["schedule has factor 0.5 at 0.41, which none of the 10 epochs has", "in the same epoch, 6"]),
    "a step of another player": (FAMILY,
        [put({"kind": "steps", "at": [0.99], "factors": [0.1]}, *of("wae-gan", "optimisers", CRITIC, "schedule"))],
        ["wae-gan.optimisers.latent_critic.schedule has factor 0.1 at 0.99"]),
    "six batches a round": (FAMILY, [put(240, *of("wgan-gp", "batch")), put(5, *of("wgan-gp", "objective", "rounds"))],
        ["wgan-gp.batch is 240; a round of this model draws 6 batches, 1440 images", "1437 training", "at most 239"]),
    "a decay of one": (FAMILY, [put([0.5, 1.0], *of("vae", "optimisers", "autoencoder", "betas"))],
        ["betas.1 is 1.0", "less than 1"]),
    "a square that is no number": (FAMILY, [put({"kind": "cube", "radius": 1e200}, *of("wae-mmd", "prior"))],
        ["prior.radius is 1e+200", "less than or equal to"]),
    "posteriors of points": (TRANSPORT, [put({"kind": "deterministic"}, *of("wae-mmd", "posterior"))],
        ["figures.posteriors shows 'wae-mmd', which has posterior 'deterministic'"]),
    "posteriors in space": (TRANSPORT, [put(3, *of("vae", "network", "latent"))],
        ["figures.posteriors shows 'vae'", "latent 3", "in two dimensions"]),
    "posteriors of a generator": (TRANSPORT, [put(["gan-conv"], "figures", "posteriors", "models")],
        ["figures.posteriors shows 'gan-conv', which is no auto-encoder"]),
    "posteriors of more than there are": (TRANSPORT, [put(361, "figures", "posteriors", "images")],
        ["figures.posteriors.images is 361; at most 360"]),
    "a figure of no data set": (TRANSPORT, [put("digit", "figures", "generators", "dataset")],
        ["figures.generators.dataset is 'digit'", "did you mean 'digits'?"]),
    "a figure of too few samples": (TRANSPORT, [put(24, "evaluation", "digits", "pictures", "samples")],
        ["figures.generators.dataset is 'digits', whose pictures.samples is 24; the figure shows 25"]),
    "slices at no angle": (TRANSPORT, [put([], "figures", "radon", "angles")], ["figures.radon.angles is []"]),
    "slices at more angles than colours": (TRANSPORT, [put([0, 1, 2, 3, 4, 5], "figures", "radon", "angles")],
        ["figures.radon.angles is [0, 1, 2, 3, 4, 5]", "at most 5"]),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_does_not_fit_is_one_sentence(mistake: str, tmp_path: Path) -> None:
    profile, changes, words = MISTAKES[mistake]
    params = content(profile)
    assert sentences(tmp_path, params) == []
    for change in changes:
        change(params)
    found = [sentence for sentence in sentences(tmp_path, params) if words[0] in sentence]
    assert len(found) == 1, sentences(tmp_path, params)
    for word in words:
        assert word in found[0]


RIGHT: dict[str, list[Change]] = {
    "the paper's schedule, whose last step is the end": scheduled([0.3, 0.5, 1.0], [0.5, 0.1, 0.01]),
    "a step at the last epoch": scheduled([0.5455, 0.9], [0.5, 0.1]),
    "a step from the beginning": scheduled([0.0, 0.5], [0.5, 0.1]),
    "a try of one epoch": scheduled([0.3, 0.5], [0.5, 0.1], epochs=1),
    "a try of two": scheduled([0.3, 0.5, 1.0], [0.5, 0.1, 0.01], epochs=2),
    "no training": scheduled([0.5455, 0.9091], [0.5, 0.1], epochs=0),
    "mmd of points in a cube": [put(CUBE, *of("wae-mmd", "prior"))],
    "bures of points": [put({"kind": "deterministic"}, *of("wwae", "posterior"))],
    "as many images as six batches": [
        put(239, *of("wgan-gp", "batch")), put(5, *of("wgan-gp", "objective", "rounds"))
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_fits_is_taken(name: str, tmp_path: Path) -> None:
    params = content(FAMILY)
    for change in RIGHT[name]:
        change(params)
    assert sentences(tmp_path, params) == []


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 10, 55, 68, 100])
def test_the_check_reckons_with_the_epoch_from_which_training_has_a_factor(epochs: int) -> None:
    """Every hundredth of the run, 0.07 * 100 = 7.000000000000001 among them."""
    for hundredth in range(101):
        schedule = steps(at=(hundredth / 100,), factors=(0.5,))
        had = [epoch for epoch in range(epochs) if schedule(epoch, epochs) == 0.5]
        assert had == list(range(first_epoch(hundredth / 100, epochs), epochs))
        assert first_epoch(hundredth / 100, epochs) == -(-hundredth * epochs // 100)  # exact, in integers


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ("penalty: {kind: adversarial, layers: 1, units: 8, rounds: 1}", "has no entry for the player 'latent_critic'"),
        ("epochs: 10000, pretraining: null, batch: 1438", "batch is 1438; at most 1437"),
        ("penalty: {kind: kl}", "a gaussian posterior only"),
        ("network: {kind: mlp, latent: 1, layers: 1, units: 4, output: tanh}, prior: " + str(MIXTURE), "latent is 1"),
    ],
)  # fmt: skip
def test_a_merged_value_that_is_wrong_only_where_it_is_merged_is_told(own: str, words: str, tmp_path: Path) -> None:
    """What an anchor's entry has is right there, and wrong beside this entry's own values."""
    text, model = json.dumps(content("smoke")), '"wae-mmd": {'
    assert text.count(model) == 1
    path = tmp_path / "params.yaml"
    with_both = text.replace(model, '"wae-mmd": &base {').replace(
        '"wae-gan": {', f'"another": {{<<: *base, {own}}}, "wae-gan": {{'
    )
    path.write_text(with_both, encoding="utf-8")
    with pytest.raises(Mistakes) as caught:
        load(path, DATA)
    (sentence,) = caught.value.sentences
    assert "models.digits.another" in sentence
    assert words in sentence


def test_every_penalty_names_kinds_that_there_are() -> None:
    """A misspelt kind in a class would refuse every model."""
    from wae.config.constructors import constant, table

    kinds: dict[str, Any] = {
        "posteriors": table("models.posteriors", "POSTERIORS"),
        "priors": table("models.priors", "PRIORS"),
    }
    for penalty in table("models.penalties", "PENALTIES"):
        for part, known in kinds.items():
            assert set(constant("models.penalties", "PENALTIES", penalty, part) or ()) <= set(known)
