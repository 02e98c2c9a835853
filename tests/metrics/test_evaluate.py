from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from support.entries import SETTINGS
from torch import Tensor, nn

from wae import runtime
from wae.errors import UserError
from wae.metrics import authenticity, frechet_distance, kid, sharpness, support
from wae.metrics.distances.report import Samples
from wae.metrics.draws import chosen, shuffled
from wae.metrics.evaluate import Evaluation, evaluate, floor, mean_sharpness
from wae.metrics.features.extractors import Extractor
from wae.metrics.measures import Measure
from wae.stages.measure import start

SHAPE = (1, 4, 4)
SHARED = ("n", "reference", "features_sha256", "protocol")


class Noise(nn.Module):
    """Uniform pixels, with a note of what was asked for; no encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, bool]] = []

    def generate(self, n: int, generator: torch.Generator) -> Tensor:
        self.asked.append((n, self.training))
        return torch.rand(n, *SHAPE, generator=generator)


class Identity(Noise):
    """An auto-encoder whose code is the image, darkened by `loss` when decoded."""

    def __init__(self, loss: float = 0.0) -> None:
        super().__init__()
        self.loss = loss

    def encode(self, x: Tensor) -> Tensor:
        return x.flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        return (1.0 - self.loss) * z.unflatten(1, SHAPE)


def pixels(name: str = "classifier", dim: int = 16) -> Extractor:
    """Pixels as features."""
    return Extractor(name, "0" * 64, dim, lambda x: x.flatten(1)[:, :dim].float(), "cpu", 7)


def images(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


def run(model: nn.Module, seed: int = 0, **changed: Any) -> Evaluation:
    arguments = {
        "train_images": images(50, 2),
        "test_images": images(60),
        "extractors": {"classifier": pixels()},
        "settings": SETTINGS,
    } | changed
    return evaluate(model, **arguments, device="cpu", generator=torch.Generator().manual_seed(seed))


REFERENCE = chosen(60, 40, SETTINGS["seed"])  # of the held-out images


def rounded(x: Tensor) -> np.ndarray:
    return np.round(x.numpy().astype(np.float64) * 255).astype(np.uint8)


def test_the_frechet_distance_is_that_of_rounded_samples_against_held_out_images_that_the_seed_draws() -> None:
    model = Noise()
    measure = run(model).metrics["fd_classifier"]
    generator = torch.Generator().manual_seed(0)
    fake = np.concatenate([rounded(torch.rand(n, *SHAPE, generator=generator)) for n in (16, 16, 8)])
    assert measure.value == frechet_distance(fake.reshape(40, -1), images(60)[REFERENCE].reshape(40, -1))
    assert (measure.n, measure.features_sha256) == (40, "0" * 64)
    assert "n=40 vs 40 of 60 held-out" in measure.protocol
    assert measure.reference == "40 of 60 held-out images, drawn by seed"
    assert model.asked == [(16, False), (16, False), (8, False)]


def test_one_pass_of_features_gives_every_number() -> None:
    passes: list[int] = []

    def network(x: Tensor) -> Tensor:
        passes.append(len(x))
        return x.flatten(1).float()

    metrics = run(Noise(), extractors={"classifier": Extractor("classifier", "0" * 64, 16, network, "cpu", 40)}).metrics
    assert passes == [40, 10, 40, 40]  # 50 training images in batches of 40, generated, held out
    generator = torch.Generator().manual_seed(0)
    fake = np.concatenate([rounded(torch.rand(n, *SHAPE, generator=generator)) for n in (16, 16, 8)]).reshape(40, -1)
    real = images(60)[REFERENCE].reshape(40, -1)
    expected = {"kid_classifier": kid(fake, real)}
    expected |= {f"{name}_classifier": value for name, value in support(real, fake, 5)._asdict().items()}
    assert {name: metrics[name].value for name in expected} == expected
    assert metrics["fd_infinity_classifier"].value < metrics["fd_classifier"].value
    assert "k=5 nearest others" in metrics["recall_classifier"].protocol


def test_a_number_that_so_few_samples_cannot_give_is_empty_and_says_why() -> None:
    metrics = run(Noise(), settings={**SETTINGS, "samples": 5}).metrics
    infinity, recall = metrics["fd_infinity_classifier"], metrics["recall_classifier"]
    assert (infinity.value, recall.value) == (None, None)
    assert infinity.protocol.startswith("not computed: 5 samples of 16 features; ")
    assert recall.protocol.startswith("not computed: k is 5; with 5 samples")
    assert metrics["fd_classifier"].value is not None


def test_patches_are_compared_where_the_settings_ask_for_them() -> None:
    class Big(Noise):
        def generate(self, n: int, generator: torch.Generator) -> Tensor:
            return torch.rand(n, 1, 28, 28, generator=generator)

    real = np.random.default_rng(0).integers(0, 256, (40, 1, 28, 28), dtype=np.uint8)
    metrics = run(Big(), train_images=real, test_images=real, extractors={}, settings={**SETTINGS, "swd": 30}).metrics
    assert metrics["swd"].value == pytest.approx((metrics["swd_28"].value + metrics["swd_14"].value) / 2, rel=1e-15)
    assert (metrics["swd"].n, metrics["swd"].reference) == (30, "30 of 40 held-out images, drawn by seed")
    assert "levels 28, 14 px; n=30 of 40 vs 30 of 40 held-out" in metrics["swd"].protocol
    assert "swd" not in run(Noise()).metrics


def test_what_metrics_draw_depends_on_the_seed_alone() -> None:
    """Two models that draw different numbers for their samples are cut into the same parts."""

    class Wasteful(Noise):
        waste = 0

        def generate(self, n: int, generator: torch.Generator) -> Tensor:
            x = super().generate(n, torch.Generator().manual_seed(sum(size for size, _ in self.asked)))
            torch.rand(1000 * self.waste, generator=generator)
            return x

    values = []
    for Wasteful.waste in (0, 1):
        values.append(run(Wasteful()).metrics["fd_infinity_classifier"])
    assert values[0] == values[1]


@pytest.mark.parametrize("seed", [4, 5])
def test_no_two_samplings_and_no_metrics_draw_from_one_seed(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled, measured = set[int](), set[int]()

    class Noted(Noise):
        def generate(self, n: int, generator: torch.Generator) -> Tensor:
            sampled.add(generator.initial_seed())
            return super().generate(n, generator)

    def noted(samples: Samples, generator: torch.Generator) -> dict[str, Measure]:
        measured.add(generator.initial_seed())
        return {}

    monkeypatch.setattr("wae.metrics.evaluate.feature_measures", noted)
    settings = {**SETTINGS, "samplings": 3}
    run(Noted(), seed, settings=settings)
    assert (len(sampled), len(measured), len(sampled | measured)) == (3, 3, 6)
    of_models = measured.copy()
    floor(images(200, 1), images(60), {}, settings, torch.Generator().manual_seed(seed))
    assert measured == of_models


def test_an_evaluation_draws_other_numbers_than_a_training_of_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"compute": {"device": "cpu", "threads": 1}, "evaluation": {"digits": {"seed": 1}}}
    job: Any = SimpleNamespace(profile=SimpleNamespace(params=params), scope={"dataset": "digits"})
    monkeypatch.setattr(runtime, "start", lambda device, threads, *purpose: torch.device(device))
    seed = start(job)[2].initial_seed()
    assert seed == start(job)[2].initial_seed()
    near = range(seed - 1, seed + 20)  # of all samplings and metrics
    assert not [key for key in range(100) if runtime.seed_for("train", key) in near or key in near]


def test_a_perfect_auto_encoder_has_no_error_and_a_darker_one_its_mean_square() -> None:
    x = images(60)[REFERENCE] / 255
    assert run(Identity()).metrics["reconstruction_mse"].value == 0.0
    darker = run(Identity(loss=0.25)).metrics["reconstruction_mse"]
    assert darker.value == pytest.approx(np.mean((0.25 * x) ** 2), rel=1e-6)
    assert darker.reference == "40 of 60 held-out images, drawn by seed"
    every = run(Identity(loss=0.25), test_images=images(60)[REFERENCE]).metrics["reconstruction_mse"]
    assert (every.value, every.reference) == (darker.value, "all 40 held-out images")


def test_pictures_are_held_out_images_and_straight_lines_between_their_codes() -> None:
    drawn = run(Identity()).images
    held_out = images(60)
    assert np.array_equal(drawn["originals"], held_out[chosen(60, 5, SETTINGS["seed"])])
    assert np.array_equal(drawn["reconstructions"], drawn["originals"])
    assert drawn["interpolations"].shape == (3, 4, *SHAPE)
    held_out = held_out[shuffled(60, SETTINGS["seed"])]
    assert np.array_equal(drawn["interpolations"][:, 0], held_out[[0, 2, 4]])
    assert np.array_equal(drawn["interpolations"][:, -1], held_out[[1, 3, 5]])
    third = (2 * held_out[0].astype(float) + held_out[1]) / 3
    assert np.abs(drawn["interpolations"][0, 1] - third).max() <= 0.5 + 1e-4
    assert {array.dtype for array in drawn.values()} == {np.dtype(np.uint8)}


def test_a_model_without_an_encoder_has_samples_only() -> None:
    evaluation = run(Noise())
    assert list(evaluation.images) == ["samples", "nearest"]
    assert evaluation.images["samples"].shape == (9, *SHAPE)
    assert evaluation.metrics["reconstruction_mse"].value is None


def test_what_has_no_features_has_no_number() -> None:
    report = run(Noise(), extractors={}).report()
    blank = {"value": None, "n": 0, "reference": "", "features_sha256": "", "protocol": ""}
    assert report["fid"] == report["fd_classifier"] == blank
    assert report["sharpness"]["value"] > 0


def test_grey_images_say_that_they_were_repeated_for_inception() -> None:
    metrics = run(Noise(), extractors={"classifier": pixels(), "inception": pixels("inception-v3")}).metrics
    assert "grey repeated to three channels" in metrics["fid"].protocol
    assert "grey repeated to three channels" in metrics["authenticity_inception"].protocol
    assert metrics["authenticity_inception"].value == metrics["authenticity_classifier"].value  # the same features
    assert "grey" not in metrics["fd_classifier"].protocol


def test_copies_of_training_images_are_found_and_the_floor_is_that_of_held_out_ones() -> None:
    class Copier(Noise):
        def generate(self, n: int, generator: torch.Generator) -> Tensor:
            return torch.from_numpy(images(200, 1)[:n] / 255)

    train, test = images(200, 1), images(60)
    assert run(Copier(), train_images=train).metrics["authenticity_classifier"].value == 0.0
    measure = run(Noise(), train_images=train).metrics["authenticity_classifier"]
    assert measure.value > 0.2
    assert (measure.n, measure.reference) == (40, "200 training images")
    assert "against 200 training images; " in measure.protocol
    expected = authenticity(train.reshape(200, -1), test[:40].reshape(40, -1))
    assert real_against_real(train, test).metrics["authenticity_classifier"].value == expected > 0.2


def test_the_first_samples_are_kept_with_the_training_images_nearest_to_them() -> None:
    class Dimmer(Noise):
        """Training images from the end of the array to its front, a little darker."""

        def generate(self, n: int, generator: torch.Generator) -> Tensor:
            return torch.from_numpy(images(200, 1)[::-1][:n] / 255) * 0.99

    kept = run(Dimmer(), train_images=images(200, 1), settings={**SETTINGS, "batch": 40}).images
    assert np.array_equal(kept["nearest"], images(200, 1)[::-1][:9])
    assert kept["samples"].shape == kept["nearest"].shape
    many = {**SETTINGS, "pictures": {**SETTINGS["pictures"], "samples": 40}}
    assert [len(array) for array in run(Noise(), settings=many).images.values()] == [40, 32]


def test_of_many_training_images_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wae.metrics.distances.report.TRAINING", 3)
    train = images(201, 1)
    measure = real_against_real(train, images(60)).metrics["authenticity_classifier"]
    expected = authenticity(train[[0, 100, 200]].reshape(3, -1), images(60)[REFERENCE].reshape(40, -1))
    assert measure.value == expected
    assert "against 3 of 201 training images, spread evenly; " in measure.protocol
    assert measure.reference == "3 of 201 training images"


def test_sharpness_is_that_of_all_samples() -> None:
    class Fading(Noise):
        """A checkerboard a thousand times, then black a hundred times."""

        def generate(self, n: int, generator: torch.Generator) -> Tensor:
            before = sum(size for size, _ in self.asked)
            self.asked.append((n, self.training))
            board = ((torch.arange(4)[:, None] + torch.arange(4)) % 2).float()
            shown = (torch.arange(before, before + n) < 1000).float()
            return shown[:, None, None, None] * board

    measure = run(Fading(), test_images=images(1100), settings={**SETTINGS, "samples": 1100}).metrics["sharpness"]
    assert (measure.value, measure.n) == (pytest.approx(16.0 * 1000 / 1100, rel=1e-14), 1100)


@pytest.mark.parametrize("shape", [(3, 33, 47), (1, 28, 28)])
def test_sharpness_of_a_few_images_at_a_time_is_that_of_all_at_once(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    monkeypatch.setattr("wae.metrics.evaluate.sharpness", lambda x: held.append(len(x)) or sharpness(x))
    x = np.random.default_rng(0).integers(0, 256, (23, *shape), dtype=np.uint8)
    value = mean_sharpness(x)
    assert held == [23]
    for most, expected in ((1, [3, *[2] * 10]), (2 * x[0].size, [3, *[2] * 10]), (8 * x[0].size, [12, 11])):
        held.clear()
        monkeypatch.setattr("wae.metrics.evaluate.HELD", most)
        assert mean_sharpness(x) == value
        assert held == expected
    assert mean_sharpness(x[:1]).value == float(sharpness(torch.from_numpy(x[:1]) / 255).mean())


def test_one_seed_gives_one_evaluation() -> None:
    assert run(Identity(), 1).report() == run(Identity(), 1).report()
    assert run(Identity(), 1).metrics["fd_classifier"] != run(Identity(), 2).metrics["fd_classifier"]


def test_further_samplings_are_other_draws_of_the_same_model_and_change_nothing_else() -> None:
    three = {**SETTINGS, "samplings": 3}
    once, more = run(Identity()), run(Identity(), settings=three)
    for name, measure in more.metrics.items():
        drawn = name in ("sharpness", "authenticity_classifier") or name.startswith(("fd_", "kid_"))
        assert replace(measure, again=()) == once.metrics[name]
        if drawn and not name.endswith("_expost"):
            assert len({measure.value, *measure.again}) == 3, name
        elif not name.endswith(("_classifier", "_expost")):
            assert measure.again == (), name
    assert all(np.array_equal(once.images[name], more.images[name]) for name in once.images)
    generator = torch.Generator().manual_seed(2)  # the first is of seed 0; 1 is that of what metrics draw
    fake = np.concatenate([rounded(torch.rand(n, *SHAPE, generator=generator)) for n in (16, 16, 8)])
    expected = frechet_distance(fake.reshape(40, -1), images(60)[REFERENCE].reshape(40, -1))
    assert more.metrics["fd_classifier"].again[0] == expected


def test_the_floor_is_sampled_as_often_and_its_held_out_anchors_are_not() -> None:
    def measured(samplings: int) -> dict[str, Measure]:
        settings, generator = {**SETTINGS, "samplings": samplings}, torch.Generator().manual_seed(0)
        return floor(images(200, 1), images(60), {"classifier": pixels()}, settings, generator).metrics

    once, more = measured(1), measured(2)
    assert {name: replace(of, again=()) for name, of in more.items()} == once
    assert len(more["fd_classifier"].again) == 1
    assert more["fd_classifier"].again[0] != once["fd_classifier"].value
    assert more["sharpness"].again == more["authenticity_classifier"].again == ()


def test_what_cannot_be_had_of_one_sampling_cannot_of_more() -> None:
    metrics = run(Noise(), settings={**SETTINGS, "samples": 5, "samplings": 3}).metrics
    assert (metrics["recall_classifier"].value, metrics["recall_classifier"].again) == (None, ())
    assert len(metrics["fd_classifier"].again) == 2


def test_chunks_of_one_generator_do_not_repeat() -> None:
    samples = run(Noise(), settings={**SETTINGS, "pictures": {**SETTINGS["pictures"], "samples": 40}}).images["samples"]
    assert len(np.unique(samples.reshape(40, -1), axis=0)) == 40


def real_against_real(train: np.ndarray, test: np.ndarray, seed: int = 0) -> Evaluation:
    return floor(train, test, {"classifier": pixels()}, SETTINGS, torch.Generator().manual_seed(seed))


def test_the_floor_shares_every_protocol_with_the_models() -> None:
    train = images(200, 1)
    model, data = run(Identity(), train_images=train).metrics, real_against_real(train, images(60)).metrics
    assert set(model) == set(data)
    for name in ("fd_classifier", "fd_infinity_classifier", "kid_classifier", "authenticity_classifier", "sharpness"):
        assert [getattr(model[name], field) for field in SHARED] == [getattr(data[name], field) for field in SHARED]
    assert data["reconstruction_mse"].value is None


def test_the_floor_draws_training_images_without_replacement() -> None:
    train = images(40, 1)
    evaluation = real_against_real(train, train)
    assert evaluation.metrics["fd_classifier"].value == pytest.approx(0.0, abs=1e-8)
    assert np.array_equal(evaluation.images["samples"], train[chosen(40, 9, SETTINGS["seed"])])
    many = images(200, 1)
    drawn = real_against_real(many, images(60)).images["samples"]
    assert all((many == image).all(axis=(1, 2, 3)).any() for image in drawn)
    assert not np.array_equal(drawn, many[:9])


def test_the_floor_is_as_sharp_as_the_reference() -> None:
    test = images(60)
    test[REFERENCE] = np.uint8(255) * ((np.arange(4)[:, None] + np.arange(4)) % 2).astype(np.uint8)
    assert real_against_real(images(200), test).metrics["sharpness"].value == 16.0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: run(Noise(), test_images=images(30)), "evaluation.samples takes 40 images, but .* 30"),
        (lambda: real_against_real(images(39), images(60)), "evaluation.samples takes 40 images, but .* 39"),
        (
            lambda: run(Identity(), settings={**SETTINGS, "pictures": {**SETTINGS["pictures"], "rows": 40}}),
            "rows takes 80 images, but .* 60",
        ),
    ],
)
def test_too_few_images_are_counted(call: Callable[[], Evaluation], says: str) -> None:
    with pytest.raises(UserError, match=says):
        call()


def test_pixels_outside_the_unit_range_stop_the_evaluation() -> None:
    class Tanh(Noise):
        def generate(self, n: int, generator: torch.Generator) -> Tensor:
            return 2 * super().generate(n, generator) - 1

    with pytest.raises(ValueError, match="quantise takes"):
        run(Tanh())


def test_what_cannot_generate_cannot_be_evaluated() -> None:
    with pytest.raises(TypeError, match="Linear has no generate"):
        run(nn.Linear(1, 1))


def test_features_are_those_of_bytes_and_do_not_depend_on_the_batch() -> None:
    x = images(20)
    assert np.array_equal(pixels()(x), x.reshape(20, -1).astype(np.float32))
    with pytest.raises(ValueError, match="float64"):
        pixels()(x / 255)
