"""Which images are measured: a fair draw, whatever their order; and the two sets that once showed that it was not."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import chisquare
from support.entries import SETTINGS
from support.pictures import REAL

from wae.data.pictures import read_pictures
from wae.metrics.codes.report import pictures
from wae.metrics.draws import Rows, by_content, chosen, drawn, drawn_pairs, identities, shuffled
from wae.metrics.evaluate import Evaluation, floor
from wae.metrics.features.extractors import Extractor
from wae.metrics.score import score

needs_mnist = pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="needs MNIST's files, or WAE_TEST_DATA")


def noise(n: int, seed: int = 0, shape: tuple[int, ...] = (1, 8, 8)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def levels(n: int) -> np.ndarray:
    """Constant images: the first has level 0, the last n - 1."""
    return np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 1, 8, 8)).copy()


# ---- draws of rows ----------------------------------------------------------


def test_rows_are_drawn_without_replacement_and_all_of_them_where_no_more_are_asked_for() -> None:
    for total, n in ((10, 4), (10, 10), (10, 12), (1, 1)):
        rows = chosen(total, n, seed=1)
        assert rows.tolist() == sorted(set(rows.tolist()))
        assert len(rows) == min(n, total)
        assert set(rows) <= set(range(total))
    assert set(chosen(100, 7, 1)) < set(chosen(100, 20, 1))
    assert np.array_equal(np.sort(shuffled(100, 1)[:7]), chosen(100, 7, 1))
    assert chosen(100, 7, 1).tolist() == chosen(100, 7, 1).tolist() != chosen(100, 7, 2).tolist()


def test_every_row_is_as_likely() -> None:
    counts = np.bincount(np.concatenate([chosen(20, 5, seed) for seed in range(2000)]), minlength=20)
    assert chisquare(counts).pvalue > 1e-3


def test_a_draw_of_sorted_images_has_the_mean_of_all_and_pairs_go_between_any_two() -> None:
    x = levels(250)
    some, pairs = drawn(x, 100, 1, "n")[:, 0, 0, 0].astype(float), drawn_pairs(x, 100, 1, "n")[:, 0, 0, 0].astype(float)
    deviation = x.std() / np.sqrt(100)
    assert abs(some.mean() - x.mean()) < 3 * deviation
    gap = np.abs(pairs[0::2] - pairs[1::2])
    assert gap.mean() == pytest.approx(250 / 3, abs=3 * gap.std() / 10)  # of two uniform numbers; neighbours have 1


# ---- an order that follows from the images ----------------------------------


def test_images_have_numbers_of_their_own_in_every_order_and_copies_too() -> None:
    x = np.concatenate([noise(20), noise(20)[:5], noise(20)[:2]])
    numbers, order = identities(x, 1), np.random.default_rng(0).permutation(len(x))
    assert len(set(numbers.tolist())) == len(x)
    assert np.array_equal(np.sort(identities(x[order], 1)), np.sort(numbers))
    assert np.array_equal(identities(x[order][:, :, ::-1][:, :, ::-1], 1), identities(x[order], 1))
    assert not set(identities(x, 2).tolist()) & set(numbers.tolist())
    assert np.array_equal(by_content(x, 1)[:], by_content(x[order], 1)[:])


def test_the_first_by_content_are_a_fair_draw_also_of_a_set_with_many_copies() -> None:
    """Of 60 images 40 are one: were copies drawn together, a draw of 15 would hold all or none of them."""
    x = np.concatenate([np.repeat(levels(1), 40, axis=0), levels(21)[1:]])
    copies = [int((by_content(x, seed, 15)[:] == 0).all(axis=(1, 2, 3)).sum()) for seed in range(400)]
    expected, variance = 15 * 40 / 60, 15 * (40 / 60) * (20 / 60) * 45 / 59  # hypergeometric
    assert np.mean(copies) == pytest.approx(expected, abs=4 * np.sqrt(variance / 400))
    assert np.var(copies) == pytest.approx(variance, rel=0.3)


def test_rows_are_read_only_when_they_are_looked_at() -> None:
    x = noise(9)
    rows = Rows(Rows(x, np.array([5, 3, 8, 1])), np.array([2, 0, 1]))
    assert (len(rows), rows.shape, rows.dtype) == (3, (3, 1, 8, 8), np.uint8)
    assert np.array_equal(rows[:], x[[8, 5, 3]])
    assert np.array_equal(rows[np.array([2])], x[[3]])
    assert not np.shares_memory(rows[:2], x)


# ---- folders of classes -----------------------------------------------------


def pixels(dim: int) -> Extractor:
    return Extractor("inception-v3", "0" * 64, dim, lambda z: z.flatten(1).float(), "cpu", 500)


def classes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten classes: a bright bar at one of ten heights, on noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=n)
    images = rng.integers(0, 90, (n, 1, 20, 20), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[0, 2 * label : 2 * label + 2] += 150
    return images, labels


def write(folder: Path, images: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """The images as pictures in one folder, or in a folder for each class; and what is read from there."""
    for index, image in enumerate(images):
        path = folder / ("" if labels is None else str(labels[index])) / f"{index:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(path)
    return read_pictures(folder)


def test_folders_of_classes_are_the_same_reference_as_one_folder(tmp_path: Path) -> None:
    fake, (real, labels) = classes(60, 1)[0], classes(300, 2)
    flat, folders = write(tmp_path / "flat", real), write(tmp_path / "folders", real, labels)
    assert not np.array_equal(flat, folders)
    found = [score(fake, of, {"inception": pixels(400)}, seed=1) for of in (flat, folders)]
    assert found[0] == found[1]
    measures = found[0][0]
    assert measures["swd"].of_reference == measures["swd"].n_reference == 300
    # Of the first 60 by name, the classes 0 and 1, precision is below 0.3.
    assert measures["precision_inception"].value > 0.9


def idx(name: str, skip: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress((REAL / "mnist" / name).read_bytes()), np.uint8, offset=skip)


@pytest.fixture(scope="module")
def mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """1,000 training images, and 5,000 test images with their labels."""
    rng = np.random.default_rng(0)
    train, test = (idx(f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) for name in ("train", "t10k"))
    some = np.sort(rng.choice(10_000, 5000, replace=False))
    return train[rng.choice(60_000, 1000, replace=False)], test[some], idx("t10k-labels-idx1-ubyte.gz", 8)[some]


@needs_mnist
def test_mnist_in_folders_of_classes_is_mnist_in_one_folder(mnist: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Where the first by name were taken, SWD was 57.4 against 22.1, precision 0.253 against 0.931."""
    fake, flat, labels = mnist
    folders = flat[np.argsort(labels, kind="stable")]
    found = [score(fake, of, {"inception": pixels(784)}, seed=1)[0] for of in (flat, folders)]
    assert found[0] == found[1]
    assert found[0]["precision_inception"].value > 0.9


@needs_mnist
def test_sharpness_and_swd_of_two_thousand_pictures_do_not_see_that_they_are_sorted(
    mnist: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """By their mean brightness; of the first thousand, sharpness was 0.172 against 0.185."""
    x = mnist[1][:2000]
    x_sorted = x[np.argsort(x.mean(axis=(1, 2, 3)), kind="stable")]
    found = score(x_sorted, x, {}, seed=1)[0]
    assert found["sharpness"].value == found["sharpness_reference"].value
    assert (found["sharpness"].n, found["swd"].value) == (2000, 0.0)


# ---- the pipeline -----------------------------------------------------------


def of_floor(train: np.ndarray, test: np.ndarray) -> Evaluation:
    settings = {**SETTINGS, "samples": 100, "swd": 40, "pictures": {**SETTINGS["pictures"], "samples": 20}}
    extractors = {"classifier": pixels(400)}
    return floor(train, test, extractors, settings, torch.Generator().manual_seed(0))


def test_a_floor_of_images_that_are_sorted_by_class_is_that_of_images_in_any_order() -> None:
    """Real against real, each in the order of its classes: of the first in the array the floor would be no floor."""
    (train, of_train), (test, of_test) = classes(300, 1), classes(300, 2)
    by_class = train[np.argsort(of_train, kind="stable")], test[np.argsort(of_test, kind="stable")]
    any_order, in_order = of_floor(train, test), of_floor(*by_class)
    for name, noise_of_a_draw in (("swd", 15), ("precision_classifier", 0.05), ("sharpness", 0.05)):
        values = [of.metrics[name].value for of in (any_order, in_order)]
        assert values[0] == pytest.approx(values[1], abs=noise_of_a_draw), name
    shown = in_order.images["samples"].reshape(20, 20, 20).mean(axis=2)
    assert len(set((shown.argmax(axis=1) // 2).tolist())) > 5  # classes in the grid of real images


def test_pictures_of_held_out_images_show_several_classes_and_ways_between_them() -> None:
    class Identity:
        encode: Callable[[torch.Tensor], torch.Tensor] = staticmethod(lambda x: x.flatten(1))
        decode: Callable[[torch.Tensor], torch.Tensor] = staticmethod(lambda z: z.unflatten(-1, (1, 20, 20)))

    images, labels = classes(300, 1)
    order = np.argsort(labels, kind="stable")
    wanted = {"reconstructions": 20, "rows": 20, "steps": 2}
    shown = pictures(Identity(), images[order], {"pictures": wanted, "seed": 1}, "cpu")  # type: ignore[arg-type]
    classes_of = lambda of: of.reshape(-1, 20, 20).mean(axis=2).argmax(axis=1) // 2
    assert len(set(classes_of(shown["originals"]).tolist())) > 5
    ends = classes_of(shown["interpolations"]).reshape(20, 2)
    assert (ends[:, 0] != ends[:, 1]).mean() > 0.5
