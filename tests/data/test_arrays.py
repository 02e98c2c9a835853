"""What an array file may hold: images in several types, labels or moments beside them; and what is refused, and how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wae.data.arrays import images_of as read_images
from wae.data.errors import DataError
from wae.data.moments import read_moments


def images(n: int = 6, shape: tuple[int, ...] = (3, 20, 16)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)


def saved(tmp_path: Path, **arrays: np.ndarray) -> Path:
    np.savez(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
    return tmp_path / "x.npz"


@pytest.mark.parametrize(
    "beside",
    [
        {"arr_1": np.arange(6)},
        {"labels": np.arange(6)[:, None], "names": np.array(list("abcdef"))},
        {"one_hot": np.eye(6), "seed": np.array(3)},
        {"objects": np.array(["cat", None, 3], dtype=object)},
        {"mu": np.zeros(4), "sigma": np.eye(4), "mu_s": np.zeros(4), "sigma_s": np.eye(4)},
    ],
)
def test_images_are_found_beside_labels_and_moments(beside: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = saved(tmp_path, **beside, arr_0=images())
    assert np.array_equal(read_images(path), images())
    assert read_moments(path) is None


def test_several_arrays_of_images_are_named_with_how_to_take_one(tmp_path: Path) -> None:
    path = saved(tmp_path, x_train=images(), y_train=np.arange(6), x_test=images(2))
    with pytest.raises(DataError, match=r"several arrays of images, x_train, x_test; save the one .*\['x_train'\]\)"):
        read_images(path)


@pytest.mark.parametrize("dtype", [np.int64, np.int16, np.uint16, np.int32, ">i4"])
def test_whole_numbers_from_0_to_255_are_bytes_of_any_type(dtype: object, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", images().astype(dtype))  # type: ignore[arg-type]
    found = read_images(tmp_path / "x.npy")
    assert found.dtype == np.uint8
    assert np.array_equal(found, images())


def test_true_is_white(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", images() > 127)
    assert np.array_equal(read_images(tmp_path / "x.npy"), np.where(images() > 127, 255, 0))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_bytes_of_0_and_1_would_be_almost_black_and_are_asked_about(dtype: type, tmp_path: Path) -> None:
    ones = (images() > 127).astype(dtype)
    np.save(tmp_path / "x.npy", ones)
    with pytest.raises(DataError, match=r"of 0 and 1 only, almost black as bytes; if 1 is white, .*float32.*255"):
        read_images(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", ones.astype("float32"))
    assert set(np.unique(read_images(tmp_path / "x.npy"))) == {0, 255}
    np.save(tmp_path / "x.npy", ones * 0)  # black either way
    assert not read_images(tmp_path / "x.npy").any()
    np.save(tmp_path / "x.npy", ones * 2)
    assert read_images(tmp_path / "x.npy").max() == 2


@pytest.mark.parametrize(
    ("shape", "one", "many"),
    [
        ((64, 64, 3), "(1, 64, 64, 3)", "64 grey ones, then as (64, 1, 64, 3)"),
        ((64, 60, 4), "(1, 64, 60, 4)", "64 grey ones, then as (64, 1, 60, 4)"),
        ((64, 64, 1), "(1, 64, 64, 1)", "64 grey ones, then as (64, 1, 64, 1)"),
        ((3, 64, 60), "(1, 3, 64, 60)", "3 grey ones, then as (3, 1, 64, 60)"),
    ],
)
def test_one_picture_is_not_taken_for_many_grey_ones(
    shape: tuple[int, ...], one: str, many: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", images(1, shape)[0])
    with pytest.raises(DataError) as refused:
        read_images(tmp_path / "x.npy")
    for said in (f"has shape {shape}", f"save it as {one}", many):
        assert said in str(refused.value)
    reshaped = eval(many[many.index("(") :])
    np.save(tmp_path / "x.npy", images(1, shape)[0].reshape(reshaped))
    assert read_images(tmp_path / "x.npy").shape == reshaped


@pytest.mark.parametrize("shape", [(5, 3, 3), (2, 4, 4), (3, 3, 3), (4, 64, 64)])
def test_the_smallest_grey_pictures_and_any_other_number_are_taken_as_they_are(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", images(1, shape)[0])
    assert read_images(tmp_path / "x.npy").shape == (shape[0], 1, *shape[1:])


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.array(["a", "b"]), r"holds x \(2,\); images are"),
        (np.full((2, 9, 9), "a"), r"holds <U1; images are"),
        (np.zeros((2, 9, 9), complex), "holds complex128; images are"),
        (images().astype(np.int64) * 300, "holds int64 from 0 to 76500; images are"),
        (-images().astype(np.int64), "holds int64 from -255 to 0; images are"),
        (np.zeros((2, 81)), r"holds x \(2, 81\); images are"),
        (np.zeros((0, 9, 9)), r"has shape \(0, 9, 9\); images are"),
    ],
)
def test_what_is_no_array_of_images_is_refused_in_a_sentence(array: np.ndarray, says: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=says):
        read_images(tmp_path / "x.npy")


def test_moments_are_read_where_a_file_holds_them_and_no_images(tmp_path: Path) -> None:
    mean, covariance = read_moments(saved(tmp_path, mu=np.arange(3.0), sigma=np.eye(3, dtype="f4"))) or (None, None)
    assert np.array_equal(mean, np.arange(3.0))  # type: ignore[arg-type]
    assert np.array_equal(covariance, np.eye(3))  # type: ignore[arg-type]
    assert covariance is not None
    assert covariance.dtype == np.float64
    assert read_moments(saved(tmp_path, mu=np.zeros(3), labels=np.zeros(3))) is None
    with pytest.raises(DataError, match="mu and sigma that are not both of floats"):
        read_moments(saved(tmp_path, mu=np.arange(3), sigma=np.eye(3)))
