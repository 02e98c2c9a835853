from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from wae.metrics.features.classifier import Classifier, accuracy, fit, load, save

QUICK = {"epochs": 1, "batch": 50, "lr": 0.002, "width": 4, "features": 16, "seed": 3}


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits at 28 x 28, uint8, with their labels as one column."""
    data = load_digits()
    images = torch.nn.functional.interpolate(torch.tensor(data.images[:, None] / 16), size=28, mode="bilinear")
    return images.mul(255).round().to(torch.uint8).numpy(), data.target[:, None].astype(np.uint8)


@pytest.fixture(scope="module")
def network(digits: tuple[np.ndarray, np.ndarray]) -> Classifier:
    settings = {**QUICK, "epochs": 15, "width": 16, "features": 64}
    return fit(digits[0][:1437], digits[1][:1437], settings, "cpu")


def test_digits_are_told_apart(network: Classifier, digits: tuple[np.ndarray, np.ndarray]) -> None:
    assert accuracy(network, digits[0][1437:], digits[1][1437:])[0] > 0.95


def test_every_feature_is_alive_and_none_is_negative(network: Classifier, digits: Any) -> None:
    features = network.features(torch.from_numpy(digits[0]))
    assert features.shape == (1797, 64)
    assert features.min() == 0.0
    assert (features.amax(dim=0) > 0).all()


def test_features_see_contrast(network: Classifier, digits: Any) -> None:
    images = torch.from_numpy(digits[0][:100]).float() / 255
    change = network.features(0.5 * images) - network.features(images)
    assert change.norm() > 0.2 * network.features(images).norm()


def test_bytes_and_unit_floats_are_the_same_images(network: Classifier, digits: Any) -> None:
    images = torch.from_numpy(digits[0][:10])
    assert torch.equal(network.features(images), network.features(images.float() / 255))


def test_an_image_alone_has_the_features_it_has_in_a_batch(network: Classifier, digits: Any) -> None:
    images = torch.from_numpy(digits[0][:100])
    torch.testing.assert_close(network.features(images)[:1], network.features(images[:1]), atol=1e-5, rtol=1e-5)


def test_the_file_alone_rebuilds_the_network(network: Classifier, digits: Any, tmp_path: Path) -> None:
    save(tmp_path / "classifier.safetensors", network)
    images = torch.from_numpy(digits[0][:10])
    again = load(tmp_path / "classifier.safetensors")
    assert torch.equal(network.features(images), again.features(images))
    assert torch.equal(network(images)[0], again(images)[0])


def test_one_seed_gives_one_network_and_draws_nothing_else(digits: Any) -> None:
    images, labels = digits[0][:200], digits[1][:200]
    before = torch.get_rng_state()
    first = fit(images, labels, QUICK, "cpu").state_dict()
    torch.rand(5)
    second = fit(images, labels, QUICK, "cpu").state_dict()
    other = fit(images, labels, {**QUICK, "seed": 4}, "cpu").state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["hidden.weight"], other["hidden.weight"])
    torch.set_rng_state(before)
    fit(images, labels, QUICK, "cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_each_label_column_has_its_head(tmp_path: Path) -> None:
    """Brightness and colour of plain images: two factors, of three and two values."""
    rng = np.random.default_rng(0)
    labels = np.stack([rng.integers(0, 3, 600), rng.integers(0, 2, 600)], axis=1).astype(np.uint8)
    images = np.zeros((600, 3, 9, 12), np.uint8)
    images[np.arange(600), 2 * labels[:, 1]] = (60 + 60 * labels[:, 0])[:, None, None]
    network = fit(images, labels, {**QUICK, "epochs": 10, "lr": 0.01}, "cpu")
    assert accuracy(network, images, labels) == [1.0, 1.0]
    assert [logits.shape[1] for logits in network(torch.from_numpy(images))] == [3, 2]
    save(tmp_path / "two.safetensors", network)
    assert accuracy(load(tmp_path / "two.safetensors"), images, labels) == [1.0, 1.0]


def test_accuracy_counts_right_answers_by_column() -> None:
    class Constant(torch.nn.Linear):
        def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
            return [
                torch.tensor([[0.0, 1.0]]).expand(len(images), 2),
                torch.tensor([[2.0, 1.0]]).expand(len(images), 2),
            ]

    labels = np.array([[1, 0], [1, 1], [0, 1], [1, 1]], np.uint8)
    assert accuracy(Constant(1, 1), np.zeros((4, 1, 3, 3), np.uint8), labels) == [0.75, 0.25]


def test_an_unknown_setting_is_refused(digits: Any) -> None:
    with pytest.raises(TypeError, match="learning_rate"):
        fit(digits[0], digits[1], {**QUICK, "learning_rate": 1.0}, "cpu")


@pytest.mark.parametrize("shape", [(5,), (4, 1)])
def test_labels_are_one_row_an_image(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="for 5 images"):
        fit(np.zeros((5, 1, 8, 8), np.uint8), np.zeros(shape, np.uint8), QUICK, "cpu")
