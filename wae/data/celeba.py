"""CelebA, decoded directly from its zip archive: nothing is unpacked, and memory does not grow with the data."""

from __future__ import annotations

import io
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from wae.data.errors import DataError
from wae.data.members import read_member
from wae.data.progress import Advance, progress

ARCHIVE = "img_align_celeba.zip"
PARTITION = "list_eval_partition.txt"
CODES = {"train": "0", "valid": "1", "test": "2"}  # split -> its code in the partition file
SIZE = (178, 218)
LARGEST = 1 << 20  # bytes of one picture; the largest real one has a twentieth of this
BATCH = 128  # images sent together to another process
FILTERS = {  # Pillow's, all antialiased
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
}

Named = tuple[str, bytes]  # a picture's name and its JPEG file
Decode = Callable[[Sequence[Named]], np.ndarray]
Run = Callable[[Decode, Iterable[list[Named]]], Iterator[np.ndarray]]


def prepare(entry: Mapping[str, Any], raw: Path, folder: Path, processes: int) -> None:
    """Write the archive's training and held-out images of the official partition, in the order of their names."""
    decode = partial(decode_all, crop=tuple(entry["crop"]), kernel=entry["filter"], side=entry["shape"][-1])
    with opened(raw / ARCHIVE) as archive, pool(processes) as run:
        members = pictures(archive)
        splits = partition(raw / PARTITION, members, entry.get("held_out") or "test")
        total = sum(map(len, splits.values()))
        with progress("decoding", total, "images") as advance:
            for split, names in splits.items():
                batches = read_all(archive, [members[name] for name in names])
                write(folder / f"{split}.npy", (len(names), *entry["shape"]), run(decode, batches), advance)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive, open for reading. A missing or damaged one raises DataError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file, found none; download it first") from None
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


def partition(path: Path, members: Iterable[str], held_out: str = "test") -> dict[str, list[str]]:
    """The sorted names of `train` and `test`. `held_out` selects which split becomes `test`: `test` or `valid`.

    Every picture of the archive must have a line `NAME.jpg 0|1|2` in the partition file.
    """
    if not path.exists():
        raise DataError(f"{path}: expected a file, found none; download it first")
    lines = [line.split() for line in path.read_text(encoding="ascii", errors="replace").splitlines() if line.strip()]
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


def read_all(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> Iterator[list[Named]]:
    """The files' bytes, BATCH at a time; the archive's checksums are verified on the way."""
    for start in range(0, len(members), BATCH):
        yield [(info.filename, read_member(archive, info)) for info in members[start : start + BATCH]]


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


def write(path: Path, shape: tuple[int, ...], batches: Iterable[np.ndarray], advance: Advance) -> None:
    """Write a .npy file of `shape`, batch by batch. (In a memory map, all written data would count as used memory.)"""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for batch in batches:
            if batch.shape[1:] != shape[1:]:
                raise DataError(f"{path.name}: expected images of {shape[1:]}, found {batch.shape[1:]}")
            file.write(batch.data)
            advance(len(batch))


@contextmanager
def pool(processes: int) -> Iterator[Run]:
    """A `map` over batches that keeps their order: in this process, or in several with a few batches at a time."""
    if processes == 1:
        yield map
        return
    # Spawned, not forked: a fork could copy a lock that the progress bar's thread holds.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
        yield partial(ordered, executor, 2 * processes)


def ordered(executor: Executor, ahead: int, decode: Decode, batches: Iterable[list[Named]]) -> Iterator[np.ndarray]:
    """Results in the order of `batches`, with few in memory. (`Executor.map` would first read the whole archive.)"""
    waiting: deque[Future[np.ndarray]] = deque()
    for batch in batches:
        waiting.append(executor.submit(decode, batch))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
