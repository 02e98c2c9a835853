"""Folders, zips and tars of anything: what is read is right, and what is not is refused in a sentence."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wae.data.errors import DataError
from wae.data.pictures import read_pictures
from wae.data.prepare import prepare

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F")
KINDS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP", "GIF", "ICO", "TGA")
ODD = st.sampled_from(["ü", "x y", ".h", "__MACOSX", "._a", "a\\b", "..", "-", ".", "train"])
ENDINGS = st.sampled_from([".png", ".PNG", ".jpg", ".jpe", ".tif", ".pgm", ".webp", ".bmp", ".gif", ".npy", ".txt", ""])
SIZES = st.sampled_from([(5, 6)] * 8 + [(1, 1), (7, 3)])
HARM = st.sampled_from([""] * 20 + ["cut", "changed", "bytes", "array"])


def rarely(often: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 15).flatmap(lambda draw: odd if draw == 0 else often)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A picture of any mode and kind, whole, cut or changed; or an array; or any bytes."""
    stream = io.BytesIO()
    shade, damage = draw(st.integers(0, 255)), draw(HARM)
    if damage == "bytes":
        return draw(st.binary(max_size=60))
    if damage == "array":
        kind = draw(st.sampled_from(["u1", "i8", "f4", "?", "U1", "c8", "O", "M8[s]"]))
        np.save(stream, np.zeros(draw(st.sampled_from([(3, 6, 5), (6, 5), (0, 6, 5), ()])), kind), allow_pickle=True)
        return stream.getvalue()
    mode = draw(rarely(st.sampled_from(["L", "RGB"]), st.sampled_from(MODES)))
    picture = Image.new(mode, draw(SIZES), 0).point(lambda _: shade)
    several = draw(rarely(st.just(False), st.just(True)))
    more: dict[str, Any] = {"save_all": True, "append_images": [picture.rotate(180)]} if several else {}
    try:
        picture.save(stream, draw(rarely(st.sampled_from(["PNG", "BMP"]), st.sampled_from(KINDS))), **more)
    except (OSError, ValueError, KeyError):  # a mode that this kind has not
        picture.convert("RGB").save(stream, "PNG")
    content = bytearray(stream.getvalue())
    at = draw(st.integers(0, len(content) - 1))
    if damage == "cut":
        return bytes(content[:at])
    if damage == "changed":
        content[at] ^= draw(st.integers(1, 255))
    return bytes(content)


PATHS = st.builds(
    lambda split, label, name, ending: f"{split}/{label}/{name}{ending}",
    st.sampled_from(["train", "Test"]),
    rarely(st.sampled_from(["cat", "dog"]), ODD),
    rarely(st.integers(0, 99).map(str), ODD),
    rarely(st.just(".png"), ENDINGS),
)
SETS = st.dictionaries(PATHS, files(), min_size=2, max_size=9)
ENTRIES = st.fixed_dictionaries(
    {
        "kind": st.just("images"),
        "shape": st.sampled_from([[1, 6, 5], [3, 6, 5], [1, 1, 1], [3, 8, 4]]),
        "labels": st.booleans(),
        "seed": st.sampled_from([None, 1]),
        "filter": st.sampled_from([None, "box", "lanczos"]),
        "crop": st.sampled_from([None, None, [0, 0, 1, 1]]),
        "shared": st.sampled_from([None, "drop", "keep"]),
        "held_out": rarely(st.none(), st.just("valid")),
    }
)


def as_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    path.mkdir()
    for name, content in files.items():
        place = path / name
        if ".." in place.parts or place.is_dir() or any(above.is_file() for above in place.parents):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return path


def as_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def as_tar(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or the error that is for the user; any other error fails the test."""
    try:
        return call()
    except DataError as error:
        return error


WAYS = {"set": as_folder, "set.zip": as_zip, "set.tgz": as_tar}
SLOWLY = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck), derandomize=True)


@SLOWLY
@given(SETS, st.sampled_from(sorted(WAYS)))
def test_a_set_of_anything_is_read_or_refused_in_sentences(files: dict[str, bytes], way: str) -> None:
    with TemporaryDirectory() as folder:
        path = WAYS[way](Path(folder) / way, files)
        images = outcome(lambda: read_pictures(path, say=lambda line: None))
        if isinstance(images, DataError):
            return
        assert images.dtype == np.uint8
        assert images.ndim == 4
        assert images.shape[1] in (1, 3)
        assert 0 < len(images) <= len(files)


@SLOWLY
@given(SETS, st.sampled_from(sorted(WAYS)), ENTRIES)
def test_a_data_set_of_anything_is_what_its_entry_says_or_nothing(
    files: dict[str, bytes], way: str, entry: dict[str, Any]
) -> None:
    with TemporaryDirectory() as folder:
        path, out = WAYS[way](Path(folder) / way, files), Path(folder) / "out"
        if entry["seed"] is None:  # the numbers of its folders
            sizes = {split: sum(name.lower().startswith(split) for name in files) for split in ("train", "test")}
        else:
            sizes = {"train": 1, "test": 1}
        entry = {**entry, **sizes, "path": str(path)}
        if isinstance(outcome(lambda: prepare("mine", entry, Path("none"), out)), DataError):
            assert not list(out.iterdir())
            return
        for split in ("train", "test"):
            images = np.load(out / f"{split}.npy")
            assert (images.dtype, images.shape) == (np.uint8, (entry[split], *entry["shape"]))
            if entry["labels"]:
                assert len(np.load(out / f"{split}-labels.npy")) == len(images)
        if entry["shared"] is None:
            held = {image.tobytes() for image in np.load(out / "test.npy")}
            assert not held & {image.tobytes() for image in np.load(out / "train.npy")}


@SLOWLY
@given(st.binary(max_size=200), st.sampled_from(["x.npy", "x.npz", "x.zip", "x.tar", "x.tgz", "x"]), st.data())
def test_a_changed_file_of_any_kind_is_read_or_refused(noise: bytes, name: str, data: st.DataObject) -> None:
    stream = io.BytesIO()
    pixels = np.arange(60, dtype=np.uint8).reshape(2, 6, 5)
    if name == "x.npy":
        np.save(stream, pixels)
    elif name == "x.npz":
        np.savez_compressed(stream, x=pixels, y=np.arange(2))
    else:
        with TemporaryDirectory() as folder:
            make = as_tar if name in ("x.tgz", "x") else as_zip
            png = io.BytesIO()
            Image.fromarray(pixels[0]).save(png, "PNG")
            stream.write(make(Path(folder) / "x", {"a/1.png": png.getvalue()}).read_bytes())
    content = bytearray(stream.getvalue())
    at = data.draw(st.integers(0, len(content)))
    content[at : at + data.draw(st.integers(0, 9))] = noise[: data.draw(st.integers(0, 9))]
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        images = outcome(lambda: read_pictures(path))
        assert isinstance(images, DataError) or images.dtype == np.uint8
