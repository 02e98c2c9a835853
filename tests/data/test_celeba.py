"""CelebA from its archive: what Pillow makes of each picture, in the official split; and what is refused."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.pictures import CELEBA, CODES, CROP, REAL, contents, jpeg, plain, write_celeba
from torch.nn import functional

from wae.config import check
from wae.data import celeba, decoding
from wae.data.errors import DataError
from wae.data.members import read_member
from wae.data.prepare import prepare
from wae.stages.prepare import cores


@pytest.mark.parametrize(("held_out", "held"), [(None, "2"), ("test", "2"), ("valid", "1")])
def test_celeba_is_the_partition_s_names_in_order_as_pillow_makes_them(
    tmp_path: Path, held_out: str | None, held: str
) -> None:
    files = write_celeba(tmp_path / "raw")
    entry = CELEBA | {"held_out": held_out, "test": [CODES[name] for name in files].count(held)}
    prepare("celeba", entry, tmp_path / "raw", tmp_path / "out")
    for split, code in (("train", "0"), ("test", held)):
        expected = [plain(files[name]) for name in sorted(files) if CODES[name] == code]
        np.testing.assert_array_equal(np.load(tmp_path / f"out/{split}.npy"), expected)


def resized_by_torch(picture: Image.Image, mode: str, *, antialias: bool) -> np.ndarray:
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()
    small = functional.interpolate(pixels, (64, 64), mode=mode, antialias=antialias)[0]
    return small.round().clamp(0, 255).numpy()


@pytest.mark.parametrize("kernel", decoding.FILTERS)
def test_resizing_is_pillow_s_within_a_level_and_no_filter_without_antialiasing_is(kernel: str) -> None:
    content = jpeg(7)
    cropped = Image.open(io.BytesIO(content)).convert("RGB").crop(CROP)
    expected = np.asarray(cropped.resize((64, 64), Image.Resampling[kernel.upper()])).transpose(2, 0, 1).astype(int)
    (ours,) = celeba.decode_all([("a.jpg", content)], crop=CROP, kernel=kernel, side=64)
    assert np.abs(ours - expected).max() <= 1
    for mode in ("bilinear", "bicubic"):
        assert np.abs(resized_by_torch(cropped, mode, antialias=False) - expected).max() > 20


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_resizing_is_that_of_another_library_within_a_level(kernel: str) -> None:
    content = jpeg(7)
    cropped = Image.open(io.BytesIO(content)).convert("RGB").crop(CROP)
    (ours,) = celeba.decode_all([("a.jpg", content)], crop=CROP, kernel=kernel, side=64)
    assert np.abs(resized_by_torch(cropped, kernel, antialias=True) - ours).max() <= 1


def test_nothing_outside_the_crop_bleeds_in(tmp_path: Path) -> None:
    inside = np.full((218, 178, 3), 255, np.uint8)
    inside[CROP[1] : CROP[3], CROP[0] : CROP[2]] = 0
    stream = io.BytesIO()
    Image.fromarray(inside).save(stream, "JPEG", quality=100, subsampling=0)
    (image,) = celeba.decode_all([("a.jpg", stream.getvalue())], crop=CROP, kernel="lanczos", side=64)
    assert image.max() <= 2  # what JPEG itself rounds


def test_several_processes_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BATCH", 2)
    write_celeba(tmp_path / "raw")
    for processes in (1, 2):
        prepare("celeba", CELEBA, tmp_path / "raw", tmp_path / str(processes), processes=processes)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_a_file_never_promises_other_images_than_it_holds(tmp_path: Path) -> None:
    write_celeba(tmp_path / "raw")
    with pytest.raises(DataError, match=r"train\.npy: expected images of \(1, 64, 64\), found \(3, 64, 64\)"):
        prepare("celeba", CELEBA | {"shape": [1, 64, 64]}, tmp_path / "raw", tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_processes_are_those_that_it_may_run_on_and_no_more_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    for allowed, expected in ((1, 1), (6, 6), (64, 8)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process, n=allowed: set(range(n)), raising=False)
        assert cores() == expected


def test_parameters_are_checked_against_the_size_that_is_read() -> None:
    assert check.CELEBA == celeba.SIZE


def test_results_keep_their_order_and_only_a_few_batches_are_read_ahead() -> None:
    read = 0

    def batches() -> Iterator[list[tuple[str, bytes]]]:
        nonlocal read
        for read in range(1, 31):
            yield [(str(read), b"")]

    def decode(files: Sequence[tuple[str, bytes]]) -> np.ndarray:
        number = int(files[0][0])
        time.sleep(0.002 * (number % 3))
        return np.array(number)

    with ThreadPoolExecutor(3) as executor:
        for expected, found in enumerate(decoding.ordered(executor, 4, decode, batches()), start=1):
            assert found == expected
            assert read <= expected + 4
    assert expected == 30


TWO = {"000003.jpg": jpeg(3), "000005.jpg": jpeg(5)}
REFUSED = {
    "damaged": (TWO | {"000006.jpg": jpeg(6)[:-3000]}, CODES, "000006.jpg: expected a whole JPEG"),
    "no picture": (TWO | {"000006.jpg": b"hello"}, CODES, "000006.jpg: expected a whole JPEG"),
    "other size": (TWO | {"000006.jpg": jpeg(6, (64, 64))}, CODES, "expected 178x218 pixels, found 64x64"),
    "no line": (TWO | {"x.jpg": jpeg(6)}, CODES, "no line for x.jpg"),
    "too large": (TWO | {"000006.jpg": b"\0" * (2 << 20)}, CODES, "at most 1,048,576 are read"),
    "no test image": ({"000003.jpg": TWO["000003.jpg"]}, CODES, "found 1 train, 0 valid, 0 test"),
    "empty": ({}, CODES, "found 0 train, 0 valid, 0 test"),
    "odd code": (
        TWO,
        {"000003.jpg": "0", "000005.jpg": "3"},
        "expected lines of a name and 0, 1 or 2, found '000005.jpg 3'",
    ),
    "name twice": (TWO | {"../000003.jpg": TWO["000003.jpg"]}, CODES, "000003.jpg is there twice"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("processes", [1])
def test_celeba_that_is_not_what_it_should_be(tmp_path: Path, case: str, processes: int) -> None:
    files, codes, words = REFUSED[case]
    write_celeba(tmp_path / "raw", files, codes)
    with pytest.raises(DataError, match=words):
        prepare("celeba", CELEBA, tmp_path / "raw", tmp_path / "out", processes=processes)
    assert contents(tmp_path / "out") == {}


def test_two_lines_of_one_name_are_refused(tmp_path: Path) -> None:
    write_celeba(tmp_path / "raw")
    with (tmp_path / "raw" / celeba.PARTITION).open("a") as file:
        file.write("000003.jpg 2\n")
    with pytest.raises(DataError, match="1 names have two lines"):
        prepare("celeba", CELEBA, tmp_path / "raw", tmp_path / "out")


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_truncated_archive(tmp_path: Path, keep: float) -> None:
    write_celeba(tmp_path / "raw")
    path = tmp_path / "raw" / celeba.ARCHIVE
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(DataError, match="expected a whole zip archive"):
        prepare("celeba", CELEBA, tmp_path / "raw", tmp_path / "out")


def test_altered_archive(tmp_path: Path) -> None:
    files = write_celeba(tmp_path / "raw")
    path = tmp_path / "raw" / celeba.ARCHIVE
    content = bytearray(path.read_bytes())
    content[content.index(files["000003.jpg"]) + 5000] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match="Bad CRC-32"):
        prepare("celeba", CELEBA, tmp_path / "raw", tmp_path / "out")


# What a zip's directory says of a file at so many bytes after its beginning (APPNOTE 4.3.12).
NEEDS, FLAGS, METHOD = 6, 8, 10


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (NEEDS, 99, r"zip: expected a whole zip archive, .* unknown one \(zip file version 9.9\)"),
        (FLAGS, 1, r"zip: img_align_celeba/000003.jpg cannot be read \(.*encrypted"),
        (METHOD, 99, r"zip: img_align_celeba/000003.jpg cannot be read \(.*compression"),
        (METHOD, zipfile.ZIP_DEFLATED, r"zip: img_align_celeba/000003.jpg cannot be read \(.*decompressing"),
        (METHOD, zipfile.ZIP_BZIP2, r"zip: img_align_celeba/000003.jpg cannot be read \(.*"),
        (METHOD, zipfile.ZIP_LZMA, r"zip: img_align_celeba/000003.jpg cannot be read \(.*"),
    ],
)
def test_an_archive_with_a_picture_that_cannot_be_unpacked(tmp_path: Path, at: int, value: int, words: str) -> None:
    write_celeba(tmp_path / "raw")
    path = tmp_path / "raw" / celeba.ARCHIVE
    content = bytearray(path.read_bytes())
    content[content.rindex(b"img_align_celeba/000003.jpg") - 46 + at] = value
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        prepare("celeba", CELEBA, tmp_path / "raw", tmp_path / "out")
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize("file", [celeba.ARCHIVE, celeba.PARTITION])
def test_missing_file(tmp_path: Path, file: str) -> None:
    write_celeba(tmp_path / "raw")
    (tmp_path / "raw" / file).unlink()
    with pytest.raises(DataError, match=f"{file}: expected a file, found none"):
        prepare("celeba", CELEBA, tmp_path / "raw", tmp_path / "out")


@pytest.mark.skipif(not (REAL / "celeba").is_dir(), reason="needs CelebA's files beside the project, or WAE_TEST_DATA")
def test_real_celeba_subset() -> None:
    with celeba.opened(REAL / "celeba" / celeba.ARCHIVE) as archive:
        members = celeba.pictures(archive)
        splits = celeba.partition(REAL / "celeba" / celeba.PARTITION, members)
        files = [(name, read_member(archive, members[name])) for name in splits["test"][:20]]
    assert len(members) == 15640
    assert {split: len(names) for split, names in splits.items()} == {"train": 10000, "test": 4640}
    images = celeba.decode_all(files, crop=CROP, kernel="lanczos", side=64)
    np.testing.assert_array_equal(images, [plain(content) for _, content in files])
