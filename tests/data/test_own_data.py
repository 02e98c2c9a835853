"""What people have as data: class folders, splits of their own, archives, arrays, copies of copies."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.pictures import contents, write_mnist
from support.unprivileged import files_of_at_most, run, without_permission

from wae.data.errors import DataError
from wae.data.pictures import read_pictures
from wae.data.prepare import prepare

GREY = np.random.default_rng(0).integers(0, 256, (40, 6, 5), dtype=np.uint8)
ENTRY = {"kind": "images", "shape": [1, 6, 5], "labels": False, "train": 4, "test": 2, "seed": None}


def png(index: int, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GREY[index]).save(stream, kind)
    return stream.getvalue()


def folder(path: Path, names: Mapping[str, int]) -> Path:
    for name, index in names.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(png(index))
    return path


def made(path: Path, out: Path, **changes: Any) -> dict[str, np.ndarray]:
    prepare("mine", {**ENTRY, "path": str(path), **changes}, Path("none"), out)
    return {file.stem: np.load(file) for file in out.iterdir()}


def rows(images: np.ndarray) -> list[int]:
    """Which pictures these are."""
    return [int(np.flatnonzero((image[0] == GREY).all((1, 2)))[0]) for image in images]


# ---- splits and classes -----------------------------------------------------

TRAIN = {f"train/{i}.png": i for i in range(4)}


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("Train", "Test"), ("train", "val"), ("TRAINING", "Validation")]
)
def test_folders_of_splits_have_the_names_that_people_give_them(train: str, test: str, tmp_path: Path) -> None:
    names = {f"x/{train}/{i}.png": i for i in range(4)} | {f"x/{test}/{i}.png": i for i in (8, 9)}
    found = made(folder(tmp_path / "a", names), tmp_path / "out")
    assert (rows(found["train"]), rows(found["test"])) == ([0, 1, 2, 3], [8, 9])


@pytest.mark.parametrize(("held_out", "expected"), [(None, [6, 7]), ("test", [6, 7]), ("valid", [8, 9])])
def test_of_three_folders_test_is_held_out_unless_the_entry_says_valid(
    held_out: str | None, expected: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = TRAIN | {"test/6.png": 6, "test/7.png": 7, "val/8.png": 8, "val/9.png": 9, "more/5.png": 5}
    found = made(folder(tmp_path / "a", names), tmp_path / "out", held_out=held_out)
    assert rows(found["test"]) == expected
    told = capsys.readouterr().err
    other = "test images: 2, such as test/6.png" if held_out == "valid" else "valid images: 2, such as val/8.png"
    assert f"not used, because in the folder of {other}" in told
    assert "not used, because in no folder of a split: 1, such as more/5.png" in told


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"train/test/1.png": 1}, r"train/test/1\.png is in folders of two splits, test and train"),
        ({"train/1.png": 1}, r"expected pictures in folders train and test \(or val\); or give a seed"),
    ],
)
def test_folders_that_are_no_split(names: dict[str, int], words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        made(folder(tmp_path / "a", names), tmp_path / "out")


def test_labels_are_the_class_folders_with_and_without_a_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"train/dog/0.png": 0, "train/cat/1.png": 1, "cat/train/2.png": 2, "train/dog/3.png": 3}
    path = folder(tmp_path / "a", names | {"test/cat/8.png": 8, "test/dog/7.png": 7})
    found = made(path, tmp_path / "out", labels=True)
    assert rows(found["train"]) == [2, 1, 0, 3]  # in the order of the names
    assert found["train-labels"].tolist() == [[0], [0], [1], [1]]
    assert (rows(found["test"]), found["test-labels"].tolist()) == ([8, 7], [[0], [1]])
    assert found["train-labels"].dtype == np.uint8
    assert "2 classes: 0 cat, 1 dog" in capsys.readouterr().err
    drawn = made(path, tmp_path / "drawn", labels=True, seed=3)
    of = {0: 1, 1: 0, 2: 0, 3: 1, 7: 1, 8: 0}
    for split in ("train", "test"):
        assert drawn[f"{split}-labels"].ravel().tolist() == [of[row] for row in rows(drawn[split])]


def test_more_than_256_classes_are_counted_right(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    np.savez(tmp_path / "x.npz", x=generator.integers(0, 256, (302, 6, 5), dtype=np.uint8), y=np.arange(302))
    found = made(tmp_path / "x.npz", tmp_path / "out", labels=True, seed=1, train=300, test=2)
    assert len(np.unique(found["train-labels"])) == 300


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (TRAIN | {"test/a/8.png": 8}, r"train/0\.png is in no class folder, but labels is true"),
        ({"train/a/0.png": 0, "test/a/8.png": 8}, "expected training pictures in at least two class folders, .* 'a'"),
        (
            {"train/a/0.png": 0, "train/b/1.png": 1, "test/c/8.png": 8},
            "no training picture is of the class 'c', but held-out pictures are",
        ),
    ],
)
def test_folders_that_are_no_classes(names: dict[str, int], words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        made(folder(tmp_path / "a", names), tmp_path / "out", labels=True, train=4, test=1)


def test_a_classifier_learns_from_class_folders(tmp_path: Path) -> None:
    from wae.metrics.features.classifier import accuracy, fit

    for index in range(40):
        shade = np.full((8, 8), 30 + index if index % 2 else 200 + index, np.uint8)
        path = tmp_path / f"a/{'dark' if index % 2 else 'light'}/{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(shade).save(path)
    found = made(tmp_path / "a", tmp_path / "out", labels=True, shape=[1, 8, 8], seed=1, train=30, test=10)
    settings = {"epochs": 20, "batch": 10, "lr": 0.01, "width": 4, "features": 8, "seed": 1}
    network = fit(found["train"], found["train-labels"], settings, "cpu")
    assert accuracy(network, found["test"], found["test-labels"]) == [1.0]


# ---- pictures in both splits ------------------------------------------------

SHARED = TRAIN | {"test/b.png": 8, "test/c.png": 2, "test/d.png": 2}


def test_pictures_of_both_splits_are_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        made(folder(tmp_path / "a", SHARED), tmp_path / "out", test=3)
    assert str(caught.value) == (
        "mine: 1 test images are also training images, byte for byte\n"
        "  train/2.png = test/c.png\n"
        "delete one of each, or write `shared: drop` into the entry to leave them out of the training images, or "
        "`shared: keep`"
    )
    names = {f"train/{i:02d}.png": i for i in range(12)} | {f"test/{i:02d}.png": i for i in range(12)}
    with pytest.raises(DataError, match=r"(?s)12 test images .*train/09\.png = test/09\.png\n  and 2 more\n"):
        made(folder(tmp_path / "b", names), tmp_path / "out", train=12, test=12)


def test_shared_pictures_are_left_out_of_training_or_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "a", SHARED)
    found = made(path, tmp_path / "drop", shared="drop", train=3, test=3)
    assert (rows(found["train"]), rows(found["test"])) == ([0, 1, 3], [8, 2, 2])
    assert "1 training images are left out: they are test images too\n  train/2.png = test/c.png" in (
        capsys.readouterr().err
    )
    found = made(path, tmp_path / "keep", shared="keep", train=4, test=3)
    assert rows(found["train"]) == [0, 1, 2, 3]
    with pytest.raises(DataError, match="expected 4 train images, found 3 after 1 that are test images were left out"):
        made(path, tmp_path / "no", shared="drop", train=4, test=3)


def test_labels_go_with_the_images_that_are_left_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x_train=GREY[:5], y_train=np.arange(5), x_test=GREY[3:4], y_test=[9])
    found = made(tmp_path / "x.npz", tmp_path / "out", labels=True, shared="drop", train=4, test=1)
    assert rows(found["train"]) == found["train-labels"].ravel().tolist() == [0, 1, 2, 4]


def test_a_split_is_drawn_from_pictures_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "a", {f"{i}.png": i % 6 for i in range(9)})
    (path / "9.bmp").write_bytes(png(5, "BMP"))  # other bytes, the same pixels
    np.save(tmp_path / "a.npy", GREY[[*range(6), 0, 1, 2, 5]])
    for source in (path, tmp_path / "a.npy"):
        for seed in range(5):
            found = made(source, tmp_path / f"{source.name}{seed}", shared="drop", seed=seed)
            assert sorted(rows(found["train"]) + rows(found["test"])) == [0, 1, 2, 3, 4, 5]
        assert "4 pictures are copies of others, and are left out" in capsys.readouterr().err
        with pytest.raises(DataError, match="expected 7 pictures or more, found 6"):
            made(source, tmp_path / "more", shared="drop", seed=1, train=5)


# ---- archives ---------------------------------------------------------------


def tarred(path: Path, names: Mapping[str, int], pack: Callable[[bytes], bytes] = bytes) -> Path:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, index in reversed(names.items()):
            info = tarfile.TarInfo(name)
            info.size = len(png(index))
            archive.addfile(info, io.BytesIO(png(index)))
    path.write_bytes(pack(stream.getvalue()))
    return path


PACKED = {".tar": bytes, ".tgz": gzip.compress, ".tar.bz2": bz2.compress, ".tar.xz": lzma.compress}


@pytest.mark.parametrize("suffix", PACKED)
def test_a_tar_is_read_as_the_folder_that_it_holds(suffix: str, tmp_path: Path) -> None:
    names = {f"./a/{i}.png": i for i in range(6)} | {"./a/._1.png": 1, "./a/x.gif": 1}
    path = tarred(tmp_path / f"x{suffix}", names, PACKED[suffix])
    assert rows(read_pictures(path)) == [0, 1, 2, 3, 4, 5]
    one = made(path, tmp_path / "1", seed=1)
    other = made(folder(tmp_path / "f", {f"a/{i}.png": i for i in range(6)}), tmp_path / "2", seed=1)
    assert all(np.array_equal(one[name], other[name]) for name in other)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


@pytest.mark.parametrize("suffix", PACKED)
def test_a_tar_that_is_cut_anywhere_is_refused(suffix: str, tmp_path: Path) -> None:
    whole = tarred(tmp_path / "x", {f"{i}.png": i for i in range(3)}, PACKED[suffix]).read_bytes()
    steps = range(0, 2 * 3 * 512 + 1, 256) if suffix == ".tar" else range(0, len(whole) - 1, 17)
    for keep in steps:
        (tmp_path / f"cut{suffix}").write_bytes(whole[:keep])
        with pytest.raises(
            DataError, match=r"cut\.\S+ (is a tar without its end|cannot be read as a tar|is not a fold)"
        ):
            read_pictures(tmp_path / f"cut{suffix}")


def test_a_damaged_header_in_a_tar_hides_no_picture(tmp_path: Path) -> None:
    content = bytearray(tarred(tmp_path / "x.tar", {f"{i}.png": i for i in range(3)}).read_bytes())
    content[1024] ^= 255  # the second file's name
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.tar is a tar without its end"):
        read_pictures(tmp_path / "x.tar")


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("../1.png", tarfile.REGTYPE, "whose name leads out of it"),
        ("/1.png", tarfile.REGTYPE, "whose name leads out of it"),
        ("1.png", tarfile.SYMTYPE, "is a link"),
        ("1.png", tarfile.LNKTYPE, "is a link"),
    ],
)
def test_what_could_harm_in_a_tar_is_refused(name: str, kind: bytes, words: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DataError, match=words):
        read_pictures(tmp_path / "x.tar")


def test_devices_and_pipes_are_no_pictures(tmp_path: Path) -> None:
    import os

    path = folder(tmp_path / "a", {"1.png": 1})
    os.mkfifo(path / "2.png")
    assert rows(read_pictures(path)) == [1]


def test_a_zip_with_backslashes_has_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a\\", b"")
        for name, index in (TRAIN | {"test/8.png": 8, "test/9.png": 9}).items():
            archive.writestr("a\\" + name.replace("/", "\\"), png(index))
    found = made(tmp_path / "x.zip", tmp_path / "out")
    assert (rows(found["train"]), rows(found["test"])) == ([0, 1, 2, 3], [8, 9])
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("a\\..\\..\\1.png", png(1))
    with pytest.raises(DataError, match="whose name leads out of it"):
        read_pictures(tmp_path / "y.zip")


# ---- several at once, large ones --------------------------------------------


def test_every_damaged_picture_is_named_with_its_folder(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", {f"x/{i:02d}.png": i for i in range(20)})
    for index in range(12):
        (path / f"x/{index:02d}.png").write_bytes(b"damaged" if index else b"")
    for read in (lambda: read_pictures(path), lambda: made(path, tmp_path / "out", seed=1, train=18)):
        with pytest.raises(DataError) as caught:
            read()
        lines = str(caught.value).splitlines()
        assert lines[0] == f"{path}: 12 pictures cannot be used"
        assert lines[1] == f"  {path}/x/00.png is no picture that can be read: it is empty"
        assert lines[10].startswith(f"  {path}/x/09.png is no picture")
        assert lines[11:] == ["  and 2 more"]
    for index in range(1, 12):
        (path / f"x/{index:02d}.png").write_bytes(png(index))
    with pytest.raises(DataError) as caught:
        made(path, tmp_path / "out", seed=1, train=18)
    assert str(caught.value) == f"{path}/x/00.png is no picture that can be read: it is empty"


def test_damaged_pictures_of_several_processes_are_all_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", {f"{i}.png": i for i in range(6)})
    for name in ("1.png", "4.png"):
        (path / name).write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"(?s)2 pictures cannot be used\n  \S+/1\.png .*\n  \S+/4\.png "):
        prepare("mine", {**ENTRY, "path": str(path), "seed": 1}, Path("none"), tmp_path / "out", processes=2)


def test_more_pixels_are_allowed_by_a_key(tmp_path: Path) -> None:
    large = np.zeros((6000, 6000), np.uint8)
    for index in range(2):
        large[0, 0] = index
        (tmp_path / "a").mkdir(exist_ok=True)
        Image.fromarray(large).save(tmp_path / f"a/{index}.bmp")
    changes = {"shape": [1, 1, 1], "crop": [0, 0, 1, 1], "seed": 1, "train": 1, "test": 1}
    with pytest.raises(
        DataError, match=r"0\.bmp has 6,000x6,000 pixels; at most 33,554,432 .* `pixels` of its data set"
    ):
        made(tmp_path / "a", tmp_path / "out", **changes)
    found = made(tmp_path / "a", tmp_path / "out", pixels=36_000_000, **changes)
    assert sorted([found["train"].item(), found["test"].item()]) == [0, 1]


# ---- arrays -----------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),  # Keras' mnist.npz
        ("train_images", "train_labels", "val_images", "val_labels"),  # MedMNIST
        ("trainImages", "trainLabels", "testImages", "testLabels"),
        ("train", "train-labels", "test", "test-labels"),  # as this project writes them
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_arrays_with_a_split_of_their_own(names: tuple[str, ...], beside: bool, tmp_path: Path) -> None:
    arrays = dict(zip(names, (GREY[:4], np.arange(4), GREY[8:10], np.array([[3], [1]])), strict=True))
    if beside:
        (tmp_path / "x").mkdir()
        for name, array in arrays.items():
            np.save(tmp_path / f"x/{name}.npy", array)
    else:
        np.savez(tmp_path / "x", **arrays)
    found = made(tmp_path / ("x" if beside else "x.npz"), tmp_path / "out", labels=True)
    assert (rows(found["train"]), rows(found["test"])) == ([0, 1, 2, 3], [8, 9])
    assert found["train-labels"].tolist() == [[0], [1], [2], [3]]
    assert found["test-labels"].tolist() == [[3], [1]]


def test_a_split_of_arrays_is_drawn_as_of_the_same_pictures_and_labels_follow(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", GREY[:10])
    np.savez(tmp_path / "x.npz", images=GREY[:10], labels=np.array(list("abcabcabca")), latents=np.zeros(10))
    pictures = made(folder(tmp_path / "f", {f"{i}.png": i for i in range(10)}), tmp_path / "0", seed=7)
    array = made(tmp_path / "x.npy", tmp_path / "1", seed=7)
    labelled = made(tmp_path / "x.npz", tmp_path / "2", seed=7, labels=True)
    for split in ("train", "test"):
        assert rows(pictures[split]) == rows(array[split]) == rows(labelled[split])
        assert labelled[f"{split}-labels"].ravel().tolist() == [row % 3 for row in rows(array[split])]


def test_arrays_are_cropped_and_resized_as_pictures_are(tmp_path: Path) -> None:
    large = np.random.default_rng(1).integers(0, 256, (6, 24, 20, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", large)
    (tmp_path / "f").mkdir()
    for index, pixels in enumerate(large):
        Image.fromarray(pixels).save(tmp_path / f"f/{index}.png")
    changes = {"shape": [3, 6, 5], "crop": [0, 4, 20, 24], "filter": "lanczos", "seed": 1}
    assert contents_of(tmp_path / "x.npy", tmp_path / "1", changes) == contents_of(
        tmp_path / "f", tmp_path / "2", changes
    )


def contents_of(path: Path, out: Path, changes: Mapping[str, Any]) -> dict[str, bytes]:
    made(path, out, **changes)
    return contents(out)


@pytest.mark.parametrize("kind", ["int64", "int32", "uint16", "int16"])
def test_whole_numbers_of_any_type_are_levels(kind: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", GREY.astype(kind))
    assert np.array_equal(read_pictures(tmp_path / "x.npy")[:, 0], GREY)
    for value in (256, -1) if kind != "uint16" else (256,):
        np.save(tmp_path / "y.npy", np.full((2, 3, 3), value, kind))
        with pytest.raises(DataError, match=rf"holds {kind} from {value} to {value}; images are whole numbers from 0"):
            read_pictures(tmp_path / "y.npy")


def test_the_ending_of_an_array_may_be_in_capitals(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", GREY)
    (tmp_path / "x.npy").rename(tmp_path / "X.NPY")
    assert np.array_equal(read_pictures(tmp_path / "X.NPY")[:, 0], GREY)


def test_true_is_white(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", GREY > 127)
    assert np.array_equal(read_pictures(tmp_path / "x.npy")[:, 0], (GREY > 127) * np.uint8(255))


@pytest.mark.parametrize("array", [np.full((2, 3, 3), "a"), np.full((2, 3, 3), b"a"), np.full((2, 3, 3), 1j),
    np.full((2, 3, 3), np.datetime64("2020-01-01"))])  # fmt: skip
def test_an_array_of_something_else_is_refused(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=r"x\.npy holds \S+; images are numbers"):
        read_pictures(tmp_path / "x.npy")


def test_labels_beside_the_images_are_not_read_for_a_score(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=GREY, y=np.arange(40))
    assert np.array_equal(read_pictures(tmp_path / "x.npz")[:, 0], GREY)
    np.savez(tmp_path / "y.npz", x_train=GREY, x_test=GREY, y_test=np.arange(40))
    with pytest.raises(DataError, match=r"y\.npz holds several arrays of images, x_train, x_test; save"):
        read_pictures(tmp_path / "y.npz")


@pytest.mark.parametrize(
    ("arrays", "changes", "words"),
    [
        ({"x": GREY}, {}, "holds x, and its entry has no seed; expected train and test"),
        ({"x_train": GREY, "x_test": GREY}, {"seed": 1}, "holds x_train, x_test, and its entry has a seed"),
        ({"a": GREY, "b": GREY}, {"seed": 1}, "holds a, b, and its entry has a seed; expected train and test"),
        ({"x": GREY}, {"seed": 1, "labels": True}, "has no labels for x, but labels is true; name them labels or y"),
        ({"x": GREY, "y": np.zeros(39)}, {"seed": 1, "labels": True}, r"y has shape \(39,\) for 40 images"),
        ({"x": GREY, "y": np.full(40, -1)}, {"seed": 1, "labels": True}, "labels are whole numbers from 0"),
        ({"x": GREY, "y": np.full(40, 0.5)}, {"seed": 1, "labels": True}, "labels are whole numbers from 0"),
    ],
)
def test_arrays_that_are_no_data_set(
    arrays: dict[str, np.ndarray], changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=words):
        made(tmp_path / "x.npz", tmp_path / "out", **changes)


def test_an_array_in_a_folder_of_pictures_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "a", TRAIN | {"test/8.png": 8, "test/9.png": 9})
    np.save(path / "features.npy", GREY)
    assert rows(made(path, tmp_path / "out")["test"]) == [8, 9]
    assert "1 file passed over: 1 .npy" in capsys.readouterr().err


def test_an_array_of_one_file_a_picture_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for index in range(3):
        np.save(tmp_path / f"x/{index}.npy", GREY[index])
    with pytest.raises(DataError, match="holds 0, 1, 2, and its entry has a seed; expected train and test"):
        made(tmp_path / "x", tmp_path / "out", seed=1)


# ---- what cannot be written ------------------------------------------------------------

PREPARE = f"""
import sys
from pathlib import Path
from wae.data.errors import DataError
from wae.data.prepare import prepare
try:
    prepare('mine', {ENTRY | {"path": "a"}}, Path('none'), Path('data/mine'))
except DataError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("kind", ["images", "mnist"])
def test_arrays_that_cannot_be_written_are_told_and_leave_nothing(kind: str, tmp_path: Path) -> None:
    write_mnist(tmp_path / "raw", train=300, test=200)
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (500, 28, 28), dtype=np.uint8))
    entry = {"kind": kind, "shape": [1, 28, 28], "labels": kind == "mnist", "train": 300, "test": 200, "seed": 1}
    path = {"path": str(tmp_path / "x.npy")} if kind == "images" else {}
    with files_of_at_most(100_000), pytest.raises(DataError, match=r"/out cannot be written \("):
        prepare("mine", entry | path, tmp_path / "raw", tmp_path / "out")
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize("where", ["data", "data/mine"])
def test_a_folder_for_arrays_that_cannot_be_written_is_named(where: str, tmp_path: Path) -> None:
    folder(tmp_path / "a", TRAIN | {"test/8.png": 8, "test/9.png": 9})
    (tmp_path / where).mkdir(parents=True)
    with without_permission(tmp_path / where, 0o500):
        done = run(PREPARE, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("data/mine")
    assert done.stderr.endswith(" cannot be written (Permission denied)\n")
