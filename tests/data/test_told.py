"""No picture is left out without a word, and no file or folder that cannot be read or written ends in a traceback."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.unprivileged import run, without_permission

from wae.data.errors import DataError
from wae.data.pictures import read_pictures

GREY = np.random.default_rng(0).integers(0, 256, (4, 6, 5), dtype=np.uint8)


def saved(pixels: np.ndarray, kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def folder(path: Path, *suffixes: str, kind: str = "PNG", first: int = 0) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for index, suffix in enumerate(suffixes, first):
        (path / f"{index}{suffix}").write_bytes(saved(GREY[index], kind))
    return path


# ---- permissions ------------------------------------------------------------

SCORE = """
import sys
from pathlib import Path
from wae.data.errors import DataError
from wae.data.pictures import read_pictures
try:
    read_pictures(Path('set'))
except DataError as error:
    sys.exit(str(error))
"""
ENTRY = "{'kind': 'images', 'path': 'set', 'shape': [1, 6, 5], 'labels': False, 'train': 3, 'test': 1, 'seed': 1}"
PREPARE = f"""
import sys
from pathlib import Path
from wae.data.errors import DataError
from wae.data.prepare import prepare
try:
    prepare('mine', {ENTRY}, Path('none'), Path('out'))
except DataError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("code", [SCORE, PREPARE], ids=["score", "prepare"])
@pytest.mark.parametrize(
    ("what", "mode"), [("set/deep", 0o000), ("set/deep", 0o400), ("set/deep/2.png", 0o000), ("set", 0o000)]
)
def test_what_cannot_be_read_is_not_left_out(code: str, what: str, mode: int, tmp_path: Path) -> None:
    folder(tmp_path / "set", ".png", ".png")
    folder(tmp_path / "set/deep", ".png", ".png", first=2)
    with without_permission(tmp_path / what, mode):
        done = run(code, tmp_path)
    named = "set/deep/2.png" if mode == 0o400 else what
    assert (done.returncode, done.stderr) == (1, f"{named} cannot be read (Permission denied)\n")


@pytest.mark.parametrize("name", ["set.zip", "set.npy"])
def test_a_file_that_cannot_be_read_is_not_called_something_else(name: str, tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", GREY)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("0.png", saved(GREY[0], "PNG"))
    with without_permission(tmp_path / name):
        done = run(SCORE.replace("'set'", f"'{name}'"), tmp_path)
    assert (done.returncode, done.stderr) == (1, f"{name} cannot be read (Permission denied)\n")


# ---- files passed over ------------------------------------------------------


def test_files_passed_over_are_told_by_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "a", ".png", ".png")
    for name in ("1.gif", "2.GIF", "3.txt", "README", ".hidden.png", ".DS_Store", "._0.png", "Thumbs.db"):
        (path / name).write_bytes(b"")
    told: list[str] = []
    assert len(read_pictures(path, say=told.append)) == 2
    assert told == [f"{path}: 6 files passed over: 2 .gif, 1 .db, 1 .txt, 1 hidden, 1 without an ending"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted(path.iterdir()):
            archive.write(file, file.name)
        archive.writestr("__MACOSX/._0.png", b"")
    read_pictures(tmp_path / "a.zip")
    assert capsys.readouterr().err == told[0].replace("/a:", "/a.zip:") + "\n"


def test_nothing_is_told_where_nothing_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_pictures(folder(tmp_path / "a", ".png", ".png"))
    np.save(tmp_path / "x.npy", GREY)
    read_pictures(tmp_path / "x.npy")
    assert capsys.readouterr() == ("", "")


def test_a_folder_without_a_picture_says_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a holds no picture; looked for .bmp, .*; passed over: 2 .gif$"):
        read_pictures(folder(tmp_path / "a", ".gif", ".gif", kind="GIF"))


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".pgm", "PPM"), (".PNM", "PPM"), (".jpe", "JPEG"), (".jfif", "JPEG"), (".pbm", "PPM")],
)
def test_every_ending_of_a_kind_that_is_read_is_read(suffix: str, kind: str, tmp_path: Path) -> None:
    pixels = GREY[0] > 127 if suffix == ".pbm" else GREY[0]
    (tmp_path / f"0{suffix}").write_bytes(saved(pixels, kind))
    with Image.open(io.BytesIO(saved(pixels, kind))) as image:
        expected = np.asarray(image.convert("L"))
    assert np.array_equal(read_pictures(tmp_path), expected[None, None])
    if kind == "PPM":
        assert np.array_equal(expected, pixels * np.uint8(255) if suffix == ".pbm" else pixels)
