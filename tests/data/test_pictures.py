"""What a user's folder really has: turned, transparent and moving pictures, and arrays that promise too much."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from wae.data.errors import DataError
from wae.data.fitting import Fit
from wae.data.images import decode_all
from wae.data.pictures import read_pictures

COLOUR = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
PICTURE = Image.fromarray(COLOUR)
LOSSLESS: dict[str, dict[str, Any]] = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def read(folder: Path, *files: bytes) -> np.ndarray:
    for index, content in enumerate(files):
        (folder / f"{index}.png").write_bytes(content)
    return read_pictures(folder)


# ---- which way is up --------------------------------------------------------

# EXIF 2.3, 4.6.4: where row 0 and column 0 of what is stored are in the picture, here as what turns one into the other.
TURNED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: x[::-1].transpose(1, 0, 2),
    7: lambda x: x[::-1, ::-1].transpose(1, 0, 2),
    8: lambda x: x[:, ::-1].transpose(1, 0, 2),
    9: lambda x: x,  # no orientation
}


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("orientation", TURNED)
def test_a_picture_is_upright_as_its_exif_says(kind: str, orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = saved(PICTURE, kind, exif=exif, **LOSSLESS[kind])
    upright = TURNED[orientation](COLOUR).transpose(2, 0, 1)
    assert np.array_equal(read(tmp_path, content), upright[None])
    prepared = decode_all([("a", content)], fit=Fit(upright.shape, None, None))
    assert np.array_equal(prepared, upright[None])


def test_a_crop_is_of_the_upright_picture() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    files = [("a", saved(PICTURE, exif=exif))]
    cropped = decode_all(files, fit=Fit((3, 8, 2), (1, 0, 3, 8), None))
    assert np.array_equal(cropped[0], TURNED[6](COLOUR)[:8, 1:3].transpose(2, 0, 1))


def test_exif_that_cannot_be_written_again_turns_all_the_same(tmp_path: Path) -> None:
    """A tag of a wrong type: what only looks for the orientation has nothing to do with it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.ResolutionUnit] = 3, 2
    content = exif.tobytes().replace(b"\x01\x28\x00\x03", b"\x01\x28\x00\x02")  # a number as text
    assert content != exif.tobytes()
    assert np.array_equal(read(tmp_path, saved(PICTURE, exif=content))[0], TURNED[3](COLOUR).transpose(2, 0, 1))


# ---- what a file shows ------------------------------------------------------


def with_alpha(value: int) -> Image.Image:
    alpha = np.full((6, 9, 1), 255, dtype=np.uint8)
    alpha[2, 3] = value
    return Image.fromarray(np.concatenate([COLOUR, alpha], axis=2))


def see_through() -> dict[str, bytes]:
    grey = PICTURE.convert("L")
    return {
        "colour": saved(with_alpha(254)),
        "grey": saved(with_alpha(0).convert("LA")),
        "tiff": saved(with_alpha(254), "TIFF"),
        "one colour": saved(PICTURE, transparency=tuple(map(int, COLOUR[4, 5]))),
        "one grey": saved(grey, transparency=grey.getpixel((3, 2))),
        "of a palette": saved(PICTURE.quantize(8), transparency=bytes([255] * 7 + [0])),
    }


@pytest.mark.parametrize("case", see_through())
def test_what_is_behind_a_picture_is_not_made_up(case: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0\.png is transparent in places.*; lay it over a colour"):
        read(tmp_path, see_through()[case])


def test_an_alpha_channel_that_is_opaque_everywhere_is_left_away(tmp_path: Path) -> None:
    other = saved(PICTURE, transparency=(0, 0, 0))  # a colour that it does not have
    found = read(tmp_path, saved(with_alpha(255)), saved(with_alpha(255), "TIFF"), other)
    assert np.array_equal(found, [COLOUR.transpose(2, 0, 1)] * 3)
    (tmp_path / "grey").mkdir()
    grey = with_alpha(255).convert("LA")
    assert np.array_equal(read(tmp_path / "grey", saved(grey))[0], [np.asarray(grey)[..., 0]])


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_file_of_several_frames_or_pages_is_refused(kind: str, tmp_path: Path) -> None:
    several = saved(PICTURE, kind, save_all=True, append_images=[PICTURE.rotate(180)])
    with pytest.raises(DataError, match=r"0\.png holds several frames or pages; here a file is one picture"):
        read(tmp_path, several)


def test_a_photograph_with_a_preview_behind_it_is_the_photograph(tmp_path: Path) -> None:
    camera = saved(PICTURE, "MPO", save_all=True, append_images=[PICTURE.resize((3, 2))], quality=95)
    assert Image.open(io.BytesIO(camera)).n_frames == 2
    assert np.array_equal(read(tmp_path, camera), read(tmp_path, saved(PICTURE, "JPEG", quality=95)))


@pytest.mark.parametrize("kind", ["GIF", "EPS"])
def test_what_is_of_another_kind_than_its_name_is_not_opened(kind: str, tmp_path: Path) -> None:
    """Pillow hands some kinds to other programs."""
    says = r"0\.png is no picture that can be read: its bytes are not recognised as BMP, JPEG, PNG, PPM, TIFF, WEBP$"
    with pytest.raises(DataError, match=says):
        read(tmp_path, saved(PICTURE, kind))


# ---- arrays -----------------------------------------------------------------


def header(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()


PROMISED = [(1 << 40, 3, 64, 64), (1 << 20, 1 << 20, 1 << 20), (10**30, 8, 8), (101, 1, 1), (-1, 10, 10)]


@pytest.mark.parametrize("shape", PROMISED)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_an_array_that_promises_more_than_it_holds(shape: tuple[int, ...], suffix: str, tmp_path: Path) -> None:
    path, content = tmp_path / f"x{suffix}", header(shape) + bytes(100)
    if suffix == ".npy":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", content)
    with pytest.raises(
        DataError, match=rf"x\{suffix} (holds no plain array of numbers \(|cannot be read as an array: )"
    ):
        read_pictures(path)


def test_damaged_array_files(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).integers(0, 4, (50, 8, 8), dtype=np.uint8))
    content = bytearray(path.read_bytes())
    content[300:340] = bytes(b ^ 255 for b in content[300:340])
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz cannot be read as an array") as caught:
        read_pictures(path)
    assert isinstance(caught.value.__cause__, (zlib.error, zipfile.BadZipFile))
    open_bracket = header((2, 8, 8)).replace(b")", b" ") + bytes(128)
    (tmp_path / "x.npy").write_bytes(open_bracket)
    with pytest.raises(DataError, match=r"x\.npy holds no plain array of numbers"):
        read_pictures(tmp_path / "x.npy")


@pytest.mark.parametrize("channels_last", [False, True])
def test_floats_are_rounded_half_to_even(channels_last: bool, tmp_path: Path) -> None:
    values = (np.arange(3 * 3 * 5 * 7) % 511 / 2).reshape(3, 3, 5, 7)
    np.save(tmp_path / "x.npy", np.moveaxis(values / 255, 1, 3) if channels_last else values / 255)
    assert np.array_equal(read_pictures(tmp_path / "x.npy"), np.rint(values / 255 * 255).astype(np.uint8))
