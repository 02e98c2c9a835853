"""A user's own pictures as a data set: a folder and a zip give the same, what could harm is refused."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.pictures import contents, jpeg

from wae.config.check import Mistakes, load_data
from wae.data import decoding, picture, pictures
from wae.data.errors import DataError
from wae.data.fitting import Fit, middle
from wae.data.images import decode_all
from wae.data.prepare import prepare
from wae.pipeline.dag import STAGES
from wae.pipeline.profile import Profile
from wae.provenance.receipt import Hashes

ENTRY = {
    "kind": "images",
    "shape": [3, 16, 12],
    "labels": False,
    "train": 4,
    "test": 2,
    "filter": "lanczos",
    "seed": 1,
}
FILES = {f"{'ab'[i % 2]}/{i}.jpg": jpeg(i, (60, 40 + i)) for i in range(7)}


def folder(path: Path, files: Mapping[str, bytes] = FILES) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zipped(path: Path, files: Mapping[str | zipfile.ZipInfo, bytes] = FILES) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in reversed(files.items()):
            archive.writestr(name, content)
    return path


def made(path: Path, out: Path, processes: int = 1, **changes: Any) -> dict[str, bytes]:
    prepare("mine", {**ENTRY, "path": str(path), **changes}, Path("none"), out, processes=processes)
    return contents(out)


def plain(content: bytes, box: tuple[int, int, int, int]) -> np.ndarray:
    """What Pillow makes of a picture in three calls."""
    image = Image.open(io.BytesIO(content)).convert("RGB").crop(box).resize((12, 16), Image.Resampling.LANCZOS)
    return np.asarray(image).transpose(2, 0, 1)


# ---- what is read -----------------------------------------------------------


def test_a_folder_a_zip_and_several_processes_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "BATCH", 2)
    noise = {"notes.txt": b"hello", "__MACOSX/a/._0.jpg": b"\0", ".hidden.png": b"\0"}
    one = made(folder(tmp_path / "a", FILES | noise), tmp_path / "1")
    assert one == made(zipped(tmp_path / "a.zip", FILES | noise), tmp_path / "2", processes=2)
    raw = tmp_path / "raw"
    raw.mkdir()
    zipped(raw / "b.zip")
    prepare("mine", {**ENTRY, "source": "s", "path": "b.zip"}, raw, tmp_path / "3")
    assert one == contents(tmp_path / "3")


def test_the_pictures_are_what_pillow_makes_of_them(tmp_path: Path) -> None:
    """Six of seven in two disjoint draws, each in the order of the names."""
    made(folder(tmp_path / "a"), tmp_path / "out")
    boxes = {name: middle((60, 40 + int(name[2])), 12, 16) for name in FILES}
    expected = {plain(FILES[name], boxes[name]).tobytes(): name for name in FILES}
    drawn = [
        [expected[image.tobytes()] for image in np.load(tmp_path / f"out/{part}.npy")] for part in ("train", "test")
    ]
    assert [len(names) for names in drawn] == [4, 2]
    assert len({name for names in drawn for name in names}) == 6
    assert drawn == [sorted(names) for names in drawn]


def test_another_seed_draws_another_split_and_no_seed_goes_by_folders(tmp_path: Path) -> None:
    path = folder(tmp_path / "a")
    one, other = (made(path, tmp_path / str(seed), seed=seed) for seed in (1, 2))
    assert one["train.npy"] != other["train.npy"]
    renamed = {name.replace("a/", "x/train/").replace("b/", "x/test/"): content for name, content in FILES.items()}
    made(zipped(tmp_path / "b.zip", renamed), tmp_path / "split", seed=None, test=3)
    test = [plain(FILES[f"b/{i}.jpg"], middle((60, 40 + i), 12, 16)) for i in (1, 3, 5)]
    np.testing.assert_array_equal(np.load(tmp_path / "split/test.npy"), test)
    with pytest.raises(DataError, match=r"expected pictures in folders train and test \(or val\); or give a seed"):
        made(path, tmp_path / "none", seed=None)


def test_a_crop_is_a_box_and_without_one_it_is_the_middle(tmp_path: Path) -> None:
    box = (5, 6, 29, 38)
    (image,) = decode_all([("a", FILES["a/0.jpg"])], fit=Fit((3, 16, 12), box, "lanczos"))
    np.testing.assert_array_equal(image, plain(FILES["a/0.jpg"], box))
    assert middle((60, 40), 1, 1) == (10, 0, 50, 40)
    assert middle((40, 61), 1, 1) == (0, 10, 40, 50)
    assert middle((60, 40), 3, 4) == (15, 0, 45, 40)
    assert middle((1, 1), 64, 1) == (0, 0, 1, 1)


def test_grey_pictures_have_one_channel_and_no_filter_leaves_pixels_alone() -> None:
    grey = np.arange(192, dtype=np.uint8).reshape(16, 12)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    (image,) = decode_all([("a", stream.getvalue())], fit=Fit((1, 16, 12), None, None))
    np.testing.assert_array_equal(image, grey[None])


# ---- what is refused --------------------------------------------------------


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def huge(side: int) -> bytes:
    """A PNG of a few bytes whose header says side x side."""
    header = b"IHDR" + struct.pack(">II", side, side) + bytes((8, 2, 0, 0, 0))
    chunks = ((13, header), (0, b"IDAT"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", n) + c + struct.pack(">I", zlib.crc32(c)) for n, c in chunks
    )


REFUSED: dict[str, tuple[Mapping[Any, bytes], str]] = {
    "a name that climbs": ({"../a.jpg": b""}, "whose name leads out of it"),
    "a name that climbs later": ({"a/../../a.jpg": b""}, "whose name leads out of it"),
    "a name from the root": ({"/etc/a.jpg": b""}, "whose name leads out of it"),
    "a name with a drive": ({"C:\\a.jpg": b""}, "whose name leads out of it"),
    "a link": ({link("x.jpg"): b"/etc/passwd"}, "x.jpg is a link"),
    "a bomb of bytes": ({"x.png": b"\0" * ((1 << 26) + 1)}, "would be 67,108,865 bytes; at most 67,108,864"),
    "a bomb of pixels": ({"x.png": huge(6000)}, "x.png has 6,000x6,000 pixels; at most 33,554,432"),
    "a larger bomb": ({"x.png": huge(60000)}, "x.png has 60,000x60,000 pixels; at most 33,554,432"),
    "no picture": ({"x.png": b"hello"}, "x.png is no picture that can be read"),
    "a damaged picture": ({"x.jpg": jpeg(1)[:-3000]}, "x.jpg is no picture that can be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_harm_is_refused(tmp_path: Path, case: str) -> None:
    files, words = REFUSED[case]
    with pytest.raises(DataError, match=words):
        made(zipped(tmp_path / "a.zip", {**FILES, **files}), tmp_path / "out", train=6)
    assert contents(tmp_path / "out") == {}


LINKS = {
    "nowhere": "is a link to nothing",
    "link.jpg": "is a link to nothing",
    "../other": r"is a link to .*/other, out of the folder",
    "../other/b/1.jpg": "out of the folder",
    ".": "is a link to a folder that holds it",
    "..": "out of the folder",
}


@pytest.mark.parametrize("to", LINKS)
def test_a_link_out_of_a_folder_or_around_in_it_is_refused(tmp_path: Path, to: str) -> None:
    folder(tmp_path / "other")
    path = folder(tmp_path / "a")
    (path / "link.jpg").symlink_to(to)
    with pytest.raises(DataError, match=rf"link\.jpg .*{LINKS[to]}"):
        made(path, tmp_path / "out")


def test_a_link_to_a_folder_behind_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    """Ten folders with two links each to the next would be a thousand folders."""
    path = folder(tmp_path / "a")
    (path / "a/more").symlink_to(path / "b")
    (path / "b/more").symlink_to(path / "a")
    with pytest.raises(DataError, match=r"more/more is a link .*behind a link"):
        made(path, tmp_path / "out")


def test_links_within_a_folder_are_the_pictures_that_they_lead_to(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", {f"all/{name}": content for name, content in FILES.items()})
    (path / "train").symlink_to("all/a")
    (path / "test").mkdir()
    (path / "test/x.jpg").symlink_to(path / "all/b/1.jpg")
    (tmp_path / "link").symlink_to(path)
    made(tmp_path / "link", tmp_path / "out", seed=None, train=4, test=1)
    for split, names in {"train": ("a/0", "a/2", "a/4", "a/6"), "test": ("b/1",)}.items():
        expected = [plain(FILES[f"{name}.jpg"], middle((60, 40 + int(name[2])), 12, 16)) for name in names]
        np.testing.assert_array_equal(np.load(tmp_path / f"out/{split}.npy"), expected)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train": 6}, "expected 8 pictures or more, found 7"),
        ({"filter": None}, r"expected 12x16 pixels, found 3\dx4\d"),
        ({"crop": [0, 0, 61, 30]}, r"expected room for the crop \(0, 0, 61, 30\), found 60x4\d pixels"),
        ({"crop": [9, 0, 9, 30]}, "expected room for the crop"),
    ],
)
def test_an_entry_that_does_not_fit_the_pictures(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        made(folder(tmp_path / "a"), tmp_path / "out", **changes)


def test_a_path_where_nothing_is_or_something_else(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"hello")
    for name, found in {"nowhere": "does not exist; it should be", "x.txt": "is not"}.items():
        with pytest.raises(DataError) as caught:
            made(tmp_path / name, tmp_path / "out")
        assert (
            str(caught.value)
            == f"{tmp_path / name} {found} a folder, zip or tar of pictures, a .npy, a .npz or a folder of .npy"
        )


def test_a_truncated_altered_or_locked_zip(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "a.zip").read_bytes())
    (tmp_path / "cut.zip").write_bytes(content[: len(content) // 2])
    altered = content.copy()
    altered[200] ^= 255
    (tmp_path / "altered.zip").write_bytes(altered)
    content[content.rindex(b"PK\1\2") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(content)
    for name, words in {
        "cut": r"cut\.zip is a zip without its end: it was cut short",
        "altered": "cannot be read",
        "locked": "is encrypted",
    }.items():
        with pytest.raises(DataError, match=words):
            made(tmp_path / f"{name}.zip", tmp_path / "out", train=5)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_stream_in_a_zip(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.jpg"), jpeg(1), method)
    content = bytearray(path.read_bytes())
    content[40:80] = bytes(b ^ 255 for b in content[40:80])
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.jpg cannot be read"):
        pictures.read_pictures(path)


def test_the_size_of_a_picture_is_known_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "PIXELS", 60 * 40)
    decode_all([("a", FILES["a/0.jpg"])], fit=Fit((3, 16, 12), None, "box"))
    with pytest.raises(DataError, match="at most 2,400 are decoded"):
        decode_all([("b", FILES["b/1.jpg"])], fit=Fit((3, 16, 12), None, "box"))


# ---- in the pipeline --------------------------------------------------------


def test_one_entry_makes_a_data_set_whose_pictures_are_never_pushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = Profile("", {}, {"sources": {}, "datasets": {"mine": {**ENTRY, "path": "own"}, "other": ENTRY}})
    assert STAGES["prepare"].deps(profile, {"dataset": "mine"}) == ["own"]
    assert not profile.may_leave({"dataset": "mine"})
    assert profile.may_leave({"dataset": "other"})
    monkeypatch.chdir(tmp_path)
    before = Hashes()(str(folder(tmp_path / "own")))
    (tmp_path / "own/a/0.jpg").write_bytes(FILES["b/1.jpg"])
    changed = Hashes()(str(tmp_path / "own"))
    (tmp_path / "own/a/0.jpg").write_bytes(FILES["a/0.jpg"])
    assert changed != before == Hashes()(str(tmp_path / "own"))
    (tmp_path / "own/a/0.jpg").rename(tmp_path / "own/a/9.jpg")
    assert Hashes()(str(tmp_path / "own")) != before


@pytest.mark.parametrize(
    ("kind", "path", "words"),
    [
        ("images", "", "mine needs a path for kind images"),
        ("faces", ", path: a.zip", r"mine\.path is for kind images or mnist or celeba; kind faces has none"),
        ("images", ", path: mirror/a.zip", r"mine\.path is in mirror/, which DVC does not see"),
        ("faces", ", held_out: valid", r"mine\.held_out is for kind images or celeba; kind faces has none"),
        ("faces", ", pixels: 9", r"mine\.pixels is for kind images; kind faces has none"),
        ("mnist", "", "mine needs a source or a path for kind mnist"),
        ("celeba", ", crop: [19, 39, 159, 179]", r"mine needs filter for kind celeba"),
        ("celeba", "", r"mine needs crop and filter for kind celeba"),
        ("celeba", ", filter: box, crop: [19, 39, 190, 179]", r"mine\.crop is \[.*\]; CelebA's pictures are 178 wide"),
        ("celeba", ", filter: box, crop: [19, 39, 159, 219]", r"mine\.crop is \[.*\]; CelebA's pictures are 178 wide"),
        ("celeba", ", filter: box, crop: [19, 39, 19, 179]", r"mine\.crop is .*; left is less than right"),
        ("images", ", path: a.zip, crop: [0, 9, 5, 8]", r"mine\.crop is .*; left is less than right, and upper less"),
    ],
)
def test_a_path_is_for_kind_images_and_seen_by_dvc(tmp_path: Path, kind: str, path: str, words: str) -> None:
    entry = f"{{kind: {kind}, shape: [3, 8, 8], labels: false, train: 1, test: 1, seed: 1{path}}}"
    (tmp_path / "params.yaml").write_text(f"sources: {{}}\ndatasets:\n  mine: {entry}\n")
    with pytest.raises(Mistakes, match=rf"datasets\.{words}"):
        load_data(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("kind", "shape", "words"),
    [
        ("celeba", "[1, 64, 64]", "kind celeba makes three channels of a square"),
        ("celeba", "[3, 64, 48]", "kind celeba makes three channels of a square"),
        ("images", "[4, 16, 16]", "kind images makes one channel, grey, or three"),
    ],
)
def test_a_shape_is_one_that_its_kind_can_make(tmp_path: Path, kind: str, shape: str, words: str) -> None:
    rest = "crop: [19, 39, 159, 179], filter: box" + (", path: a.zip" if kind == "images" else "")
    entry = f"{{kind: {kind}, shape: {shape}, labels: false, train: 1, test: 1, {rest}}}"
    (tmp_path / "params.yaml").write_text(f"sources: {{}}\ndatasets:\n  mine: {entry}\n")
    with pytest.raises(Mistakes, match=rf"mine\.shape is .*; {words}"):
        load_data(tmp_path / "params.yaml")
