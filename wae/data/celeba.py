"""CelebA, decoded directly from its zip archive, or from a folder: memory does not grow with the data."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from wae.data.containers import place
from wae.data.decoding import FILTERS, Decoding, Named, pool, write
from wae.data.errors import DataError, reading
from wae.data.folders import of_folder
from wae.data.members import Reader, once, read_member
from wae.data.progress import progress
from wae.data.shared import Names

ARCHIVE = "img_align_celeba.zip"
FOLDER = "img_align_celeba"
PARTITION = "list_eval_partition.txt"
TABLES = (PARTITION, "list_eval_partition.csv")  # Kaggle's: the same lines with commas, under a line of titles
CODES = {"train": "0", "valid": "1", "test": "2"}  # split -> its code in the partition file
SIZE = (178, 218)
LARGEST = 1 << 20  # bytes of one picture; the largest real one has a twentieth of this


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> Names:
    """Write the archive's training and held-out images of the official partition, in the order of their names."""
    root = place(entry, raw)
    decode = partial(decode_all, crop=tuple(entry["crop"]), kernel=entry["filter"], side=entry["shape"][-1])
    with opened_set(root) as (files, table, text), pool(processes) as run:
        splits = partition(table, files, entry.get("held_out") or "test", text)
        decoding = Decoding(run, decode)
        with progress("decoding", sum(map(len, splits.values())), "images") as advance:
            for split, names in splits.items():
                images = decoding((f"{root}/{name}", files[name]) for name in names)
                write(folder / f"{split}.npy", (len(names), *entry["shape"]), images, advance)
    decoding.finish(root)
    return splits


@contextmanager
def opened_set(root: Path) -> Iterator[tuple[dict[str, Reader], Path, str | None]]:
    """The pictures by name, the partition's file, and its text if it is not a file of its own.

    `root` is a folder with the pictures in a zip, as published, or unpacked; or it is Kaggle's one zip of everything.
    """
    if root.is_file():
        with opened(root) as archive:
            table = next((info for info in archive.infolist() if PurePosixPath(info.filename).name in TABLES), None)
            if table is None:
                raise DataError(f"{root}: expected {' or '.join(TABLES)} in it, found neither")
            yield _zipped(archive), root / table.filename, read_member(archive, table).decode("ascii", "replace")
    elif (root / FOLDER).is_dir() and not (root / ARCHIVE).exists():
        yield _unpacked(root / FOLDER), _table(root), None
    else:
        with opened(root / ARCHIVE) as archive:
            yield _zipped(archive), _table(root), None


def _zipped(archive: zipfile.ZipFile) -> dict[str, Reader]:
    return {name: partial(read_member, archive, info) for name, info in pictures(archive).items()}


def _unpacked(folder: Path) -> dict[str, Reader]:
    with reading(folder):
        members = [member for member in of_folder(folder) if member.name.endswith(".jpg")]
    once(folder, [PurePosixPath(member.name).name for member in members])
    return {PurePosixPath(member.name).name: member.read for member in members}


def _table(root: Path) -> Path:
    return next((root / name for name in TABLES if (root / name).exists()), root / PARTITION)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive, open for reading. A missing or damaged one raises DataError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file, found none; download it first") from None
    except IsADirectoryError:
        raise DataError(f"{path}: expected a zip file, found a folder; unpacked, it is called {FOLDER}") from None
    except PermissionError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        words = f"expected a whole zip archive, found a truncated, damaged or unknown one ({error})"
        raise DataError(f"{path}: {words}") from error


def pictures(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The JPEG files of an archive by name, without their folder."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = PurePosixPath(info.filename).name
        if info.is_dir() or not name.endswith(".jpg"):
            continue
        if info.file_size > LARGEST:
            raise DataError(
                f"{archive.filename}: {name} would be {info.file_size:,} bytes; at most {LARGEST:,} are read"
            )
        if name in members:
            raise DataError(f"{archive.filename}: {name} is there twice")
        members[name] = info
    return members


def partition(
    path: Path, members: Iterable[str], held_out: str = "test", text: str | None = None
) -> dict[str, list[str]]:
    """The sorted names of `train` and `test`. `held_out` selects which split becomes `test`: `test` or `valid`.

    Every picture of the archive must have a line `NAME.jpg 0|1|2` in the partition file, or `NAME.jpg,0|1|2` in
    Kaggle's. `text` is that of the file, if it is in an archive.
    """
    if text is None and not path.exists():
        raise DataError(f"{path}: expected a file, found none; download it first")
    with reading(path):
        text = path.read_text(encoding="ascii", errors="replace") if text is None else text
    lines = [line.replace(",", " ").split() for line in text.splitlines() if line.strip()]
    if lines[:1] == [["image_id", "partition"]]:
        del lines[0]
    wrong = next((line for line in lines if len(line) != 2 or line[1] not in ("0", "1", "2")), None)
    if wrong is not None:
        raise DataError(f"{path}: expected lines of a name and 0, 1 or 2, found {' '.join(wrong)!r}")
    codes: dict[str, str] = dict(lines)
    if len(codes) != len(lines):
        raise DataError(f"{path}: {len(lines) - len(codes)} names have two lines")
    present = sorted(members)
    stranger = next((name for name in present if name not in codes), None)
    if stranger is not None:
        raise DataError(f"{path}: no line for {stranger}, which the archive holds")
    found = {split: [name for name in present if codes[name] == code] for split, code in CODES.items()}
    if not (found["train"] and found[held_out]):
        raise DataError(f"{path}: expected training and {held_out} images in the archive, found {count(found)}")
    return {"train": found["train"], "test": found[held_out]}


def count(splits: Mapping[str, Sequence[str]]) -> str:
    """The sizes of splits as text: `3 train, 0 test`."""
    return ", ".join(f"{len(names):,} {split}" for split, names in splits.items())


def decode_all(files: Sequence[Named], *, crop: tuple[int, int, int, int], kernel: str, side: int) -> np.ndarray:
    """Images, uint8 (n, 3, side, side): decoded, cropped, then resized. Pixels outside the crop have no effect."""
    images = np.empty((len(files), 3, side, side), np.uint8)
    for row, (name, content) in enumerate(files):
        try:
            with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
                if picture.size != SIZE:  # known from the header, before anything is decoded
                    raise DataError(
                        f"{name}: expected {SIZE[0]}x{SIZE[1]} pixels, found {picture.width}x{picture.height}"
                    )
                small = picture.convert("RGB").crop(crop).resize((side, side), FILTERS[kernel])
        except OSError as error:
            raise DataError(f"{name}: expected a whole JPEG picture, found a damaged one ({error})") from error
        images[row] = np.asarray(small).transpose(2, 0, 1)
    return images
