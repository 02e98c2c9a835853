"""Known damage: what it does to images, and that the classifier's distance rises with it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from wae.data.digits import prepare
from wae.figures.corruption import corruption
from wae.metrics.corruption import CORRUPTIONS, blurred, collapsed, corruption_curves, noisy, without_classes
from wae.metrics.features import classifier
from wae.metrics.features.extractors import Extractor
from wae.stages import corruption as stage

RNG = np.random.default_rng


def images(n: int = 40) -> np.ndarray:
    return RNG(0).integers(0, 256, (n, 1, 28, 28), dtype=np.uint8)


LABELS = np.arange(40)[:, None] % 10


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_first_level_is_no_damage_and_levels_rise(name: str) -> None:
    corrupt, levels = CORRUPTIONS[name]
    assert np.array_equal(corrupt(images(), LABELS, levels[0], RNG(1)), images())
    assert list(levels) == sorted(set(levels))
    assert corrupt(images(), LABELS, levels[-1], RNG(1)).shape == images().shape


def test_blur_spreads_a_point_as_a_gaussian_and_keeps_a_constant() -> None:
    point = np.zeros((1, 1, 29, 29), dtype=np.uint8)
    point[0, 0, 14, 14] = 255
    spread = blurred(point, LABELS, 2 / 29, RNG(0))[0, 0]
    assert spread[14, 14] == round(255 / (2 * np.pi * 4))
    assert spread[14, 16] == spread[12, 14] == round(255 / (2 * np.pi * 4) * np.exp(-0.5))
    assert (blurred(np.full((1, 1, 9, 9), 77, np.uint8), LABELS, 0.1, RNG(0)) == 77).all()


def test_noise_has_the_standard_deviation_of_its_level() -> None:
    grey = np.full((10, 1, 100, 100), 128, dtype=np.uint8)
    assert noisy(grey, LABELS, 0.1, RNG(0)).std() == pytest.approx(25.5, rel=0.01)


def test_missing_classes_are_the_last_ones_and_nothing_else_changes() -> None:
    numbered = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None, None], (40, 1, 2, 2))
    found = without_classes(numbered, LABELS, 0.4, RNG(0))[:, 0, 0, 0]
    assert set(found % 10) == set(range(6))
    assert np.array_equal(found[LABELS[:, 0] < 6], np.arange(40)[LABELS[:, 0] < 6])


def test_collapse_repeats_the_first_image() -> None:
    repeated = (collapsed(images(41), LABELS, 0.5, RNG(0)) == images(41)[:1]).all(axis=(1, 2, 3))
    assert repeated.sum() == 21


def test_every_level_draws_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that levels differ by their damage alone."""
    drawn: list[float] = []
    draw = lambda images, labels, level, rng: drawn.append(rng.random()) or images
    monkeypatch.setattr("wae.metrics.corruption.CORRUPTIONS", {"a": (draw, (0.0, 0.5, 1.0)), "b": (draw, (0.0, 1.0))})
    pixels = Extractor("pixels", "", 16, lambda x: x.flatten(1)[:, :16].float(), "cpu", 40)
    assert len(list(corruption_curves(images(), LABELS, images(), pixels, seed=7))) == 5
    assert drawn == [RNG(7).random()] * 5


def test_the_classifier_s_distance_rises_with_every_damage(tmp_path: Path) -> None:
    prepare({"shape": [1, 28, 28], "train": 1437}, tmp_path, tmp_path, 1)
    train, labels, test = (np.load(tmp_path / f"{name}.npy") for name in ("train", "train-labels", "test"))
    settings = {"epochs": 3, "batch": 50, "lr": 0.002, "width": 8, "features": 32, "seed": 1}
    network = classifier.fit(train, labels, settings, "cpu")
    extractor = Extractor("classifier", "", 32, network.features, "cpu", 500)
    rows = RNG(1).choice(len(train), 360, replace=False)
    found = pd.DataFrame(corruption_curves(train[rows], labels[rows], test, extractor, seed=1))
    found.columns = ["corruption", "level", "fd_classifier"]
    assert len(found) == 20
    for name, curve in found.groupby("corruption"):
        assert spearmanr(curve["level"], curve["fd_classifier"]).statistic == pytest.approx(1.0, abs=1e-12), name
    assert found.groupby("corruption")["fd_classifier"].first().nunique() == 1
    found.to_csv(tmp_path / "corruption.csv", index=False)
    pictures = [tmp_path / name for name in ("one.png", "two.png")]
    for picture in pictures:
        corruption(tmp_path / "corruption.csv", picture, title="Damaged digits")
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_the_reference_of_the_curves_is_drawn_from_all_held_out_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of images in the order of their classes, the first have not one of the last classes."""
    seen: list[np.ndarray] = []
    labelled = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None, None], (200, 1, 8, 8))
    for name, array in (("train", labelled), ("train-labels", np.arange(200)[:, None]), ("test", labelled)):
        np.save(tmp_path / f"{name}.npy", array)
    settings = {"samples": 60, "seed": 1}
    monkeypatch.setattr("wae.stages.measure.start", lambda job: (settings, "cpu", None))
    monkeypatch.setattr("wae.stages.measure.extractors", lambda *_: {"classifier": None})
    monkeypatch.setattr("wae.stages.corruption.corruption", lambda *_, **__: None)
    monkeypatch.setattr("wae.stages.corruption.corruption_curves", lambda *given: seen.append(given[2]) or [])
    job: Any = SimpleNamespace(
        input_paths=sorted(tmp_path.glob("*.npy")), scope={"dataset": "x"}, output=lambda name: tmp_path / name
    )
    stage.run(job)
    levels = seen[0][:, 0, 0, 0]
    assert len(np.unique(levels)) == 60
    assert levels.max() > 150
