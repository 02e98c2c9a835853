"""From files to arrays: what is read, what is refused, and that the splits do not leak."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.pictures import CELEBA, REAL, contents, idx, jpeg, write_celeba, write_mnist

from wae.data.digits import enlarge
from wae.data.errors import DataError
from wae.data.mnist import FILES, read_idx
from wae.data.prepare import PREPARERS, check, prepare

MNIST = {"kind": "mnist", "shape": [1, 28, 28], "labels": True, "train": 30, "test": 10}
DIGITS = {"kind": "digits", "shape": [1, 28, 28], "labels": True, "train": 1437, "test": 360}
LINES = {"kind": "lines", "shape": [1, 32, 32], "labels": False, "train": 30, "test": 20, "seed": 1}
FACES = {"kind": "faces", "shape": [3, 64, 64], "labels": True, "train": 30, "test": 20, "seed": 1}
OWN = {**CELEBA, "kind": "images", "source": "own", "path": "own.zip", "seed": 1}

# ---- IDX -------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5,), (3, 4, 2), (0, 28, 28)])
def test_idx_round_trip(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).integers(256, size=shape, dtype=np.uint8)
    (tmp_path / "a.gz").write_bytes(idx(array))
    np.testing.assert_array_equal(read_idx(tmp_path / "a.gz", len(shape)), array)


WHOLE = idx(np.arange(200, dtype=np.uint8).reshape(8, 5, 5))
PLAIN = gzip.decompress(WHOLE)
BROKEN = {
    "truncated": (WHOLE[: len(WHOLE) // 2], "truncated or damaged"),
    "flipped": (WHOLE[:40] + bytes([WHOLE[40] ^ 255]) + WHOLE[41:], "truncated or damaged"),
    "not gzip": (b"<html>" * 50, "truncated or damaged"),
    "not idx": (gzip.compress(b"hello world, hello"), "begins 00000803, found 68656c6c"),
    "empty": (gzip.compress(b""), "found nothing"),
    "floats": (gzip.compress(bytes((0, 0, 13, 3)) + PLAIN[4:]), "begins 00000803, found 00000d03"),
    "one axis": (idx(np.zeros(9)), "begins 00000803, found 00000801"),
    "header only": (gzip.compress(PLAIN[:8]), "begins 00000803"),
    "too short": (gzip.compress(PLAIN[:-1]), "200 bytes for .8, 5, 5., found 199"),
    "too long": (gzip.compress(PLAIN + b"!"), "200 bytes for .8, 5, 5., found 201"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_idx_that_is_broken_is_named(tmp_path: Path, case: str) -> None:
    content, words = BROKEN[case]
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_idx(tmp_path / "a.gz", 3)
    assert str(caught.value).startswith(str(tmp_path / "a.gz"))


def test_idx_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found none; download it first"):
        read_idx(tmp_path / "a.gz", 3)


# ---- every data set --------------------------------------------------------


def write_raw(kind: str, raw: Path) -> None:
    if kind == "mnist":
        write_mnist(raw)
    elif kind == "celeba":
        write_celeba(raw)
    elif kind == "images":
        raw.mkdir()
        with zipfile.ZipFile(raw / "own.zip", "w") as archive:
            for i in range(7):
                archive.writestr(f"{i}.jpg", jpeg(i))


@pytest.mark.parametrize("entry", [MNIST, DIGITS, FACES, LINES, CELEBA, OWN], ids=lambda entry: entry["kind"])
def test_prepared_twice_gives_the_same_bytes_and_nothing_else(tmp_path: Path, entry: Mapping[str, Any]) -> None:
    write_raw(entry["kind"], tmp_path / "raw")
    runs = []
    for out in (tmp_path / "1", tmp_path / "2"):
        prepare("it", entry, tmp_path / "raw", out)
        runs.append(contents(out))
    assert runs[0] == runs[1]
    labels = ["test-labels.npy", "train-labels.npy"] if entry["labels"] else []
    assert sorted(runs[0]) == sorted(["test.npy", "train.npy", *labels])
    for split in ("train", "test"):
        images = np.load(tmp_path / f"1/{split}.npy")
        assert images.dtype == np.uint8
        assert list(images.shape[1:]) == entry["shape"]
        if entry["labels"]:
            found = np.load(tmp_path / f"1/{split}-labels.npy")
            assert found.dtype == np.uint8
            assert found.ndim == 2
            assert len(found) == len(images)


def test_every_kind_is_prepared_above() -> None:
    assert set(PREPARERS) == {entry["kind"] for entry in (MNIST, DIGITS, FACES, LINES, CELEBA, OWN)}


@pytest.mark.parametrize("entry", [MNIST, DIGITS, FACES, LINES], ids=lambda entry: entry["kind"])
def test_no_test_image_is_a_training_image(tmp_path: Path, entry: Mapping[str, Any]) -> None:
    write_raw(entry["kind"], tmp_path / "raw")
    prepare("it", entry, tmp_path / "raw", tmp_path / "out")
    train, test = ({bytes(image) for image in np.load(tmp_path / f"out/{split}.npy")} for split in ("train", "test"))
    assert not train & test


def test_a_leak_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    images = np.random.default_rng(2).integers(256, size=(12, 28, 28), dtype=np.uint8)
    write_mnist(tmp_path / "raw", train=20, test=12, test_images=images, train_images=np.concatenate([images[:2]] * 10))
    with pytest.raises(DataError, match="2 test images are also training images"):
        prepare("mnist", MNIST | {"train": 20, "test": 12}, tmp_path / "raw", tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_what_was_there_stays_when_a_later_run_fails(tmp_path: Path) -> None:
    write_mnist(tmp_path / "raw")
    prepare("mnist", MNIST, tmp_path / "raw", tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "raw" / FILES["test"][1]).write_bytes(b"damaged")
    with pytest.raises(DataError):
        prepare("mnist", MNIST, tmp_path / "raw", tmp_path / "out")
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shape": [1, 32, 32]}, r"expected train images uint8 \(1, 32, 32\), found uint8 \(30, 1, 28, 28\)"),
        ({"test": 11}, "expected 11 test images, found 10"),
        ({"labels": False}, "labels is False, but kind 'mnist' says True"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(tmp_path: Path, change: Mapping[str, Any], words: str) -> None:
    write_mnist(tmp_path / "raw")
    with pytest.raises(DataError, match=words):
        prepare("mnist", MNIST | change, tmp_path / "raw", tmp_path / "out")


def test_every_image_has_labels(tmp_path: Path) -> None:
    for split, n in (("train", 3), ("test", 2)):
        np.save(tmp_path / f"{split}.npy", np.zeros((n, 1, 28, 28), np.uint8))
        np.save(tmp_path / f"{split}-labels.npy", np.zeros((2, 1), np.uint8))
    with pytest.raises(DataError, match="train has 3 images, but 2 labels"):
        check("mnist", MNIST | {"train": 3, "test": 2}, tmp_path)


# ---- MNIST -----------------------------------------------------------------


def test_mnist_keeps_the_official_split_in_order(tmp_path: Path) -> None:
    arrays = write_mnist(tmp_path / "raw")
    prepare("mnist", MNIST, tmp_path / "raw", tmp_path / "out")
    for split in ("train", "test"):
        np.testing.assert_array_equal(np.load(tmp_path / f"out/{split}.npy")[:, 0], arrays[f"{split}_images"])
        np.testing.assert_array_equal(np.load(tmp_path / f"out/{split}-labels.npy")[:, 0], arrays[f"{split}_labels"])


@pytest.mark.parametrize(
    ("labels", "words"),
    [(np.zeros(29), "30 images, but train-labels.* has 29 labels"), (np.full(30, 10), "the label 10; expected 0 to 9")],
)
def test_mnist_labels_that_cannot_be_are_refused(tmp_path: Path, labels: np.ndarray, words: str) -> None:
    write_mnist(tmp_path / "raw", train_labels=labels)
    with pytest.raises(DataError, match=words):
        prepare("mnist", MNIST, tmp_path / "raw", tmp_path / "out")


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="needs MNIST's files beside the project, or WAE_TEST_DATA")
def test_real_mnist(tmp_path: Path) -> None:
    prepare("mnist", MNIST | {"train": 60000, "test": 10000}, REAL / "mnist", tmp_path)
    train, test = (np.load(tmp_path / f"{split}.npy") for split in ("train", "test"))
    assert train.shape == (60000, 1, 28, 28)
    assert test.shape == (10000, 1, 28, 28)
    assert train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)  # the constants that everyone normalises by
    assert train.std() / 255 == pytest.approx(0.3081, abs=5e-5)
    labels = np.load(tmp_path / "train-labels.npy")[:, 0]
    assert list(np.bincount(labels)) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


# ---- digits ----------------------------------------------------------------


def test_digits_are_all_there_in_the_order_of_their_writers(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    prepare("digits", DIGITS, tmp_path, tmp_path / "out")
    labels = [np.load(tmp_path / f"out/{split}-labels.npy")[:, 0] for split in ("train", "test")]
    assert list(map(len, labels)) == [1437, 360]
    np.testing.assert_array_equal(np.concatenate(labels), load_digits().target)


def test_enlarged_digits_are_white_on_black_in_a_margin() -> None:
    np.testing.assert_array_equal(enlarge(np.zeros((8, 8)), 28), 0)
    full = enlarge(np.full((8, 8), 16), 28)
    np.testing.assert_array_equal(full[4:24, 4:24], 255)
    for edge in (full[:2], full[-2:], full[:, :2], full[:, -2:]):
        np.testing.assert_array_equal(edge, 0)


def test_enlarging_commutes_with_mirroring() -> None:
    digit = np.random.default_rng(3).integers(17, size=(8, 8))
    for turned, large in ((digit[::-1], enlarge(digit, 28)[::-1]), (digit.T, enlarge(digit, 28).T)):
        difference = enlarge(turned, 28).astype(int) - large
        assert np.abs(difference).max() <= 1
