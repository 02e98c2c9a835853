"""Decodes many pictures: in this process or in several, in their order, and with every one that is damaged named."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from wae.data.errors import DataError, all_of
from wae.data.members import Reader
from wae.data.progress import Advance

BATCH = 128  # images sent together to another process
FILTERS = {  # Pillow's, all antialiased
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
}

Named = tuple[str, bytes]  # a picture's name and its file
Decode = Callable[[Sequence[Named]], np.ndarray]
Tried = tuple[np.ndarray | None, list[str]]  # a batch, or the sentence of each of its pictures that cannot be used
T = TypeVar("T")
Run = Callable[[Callable[[Sequence[Named]], Tried], Iterable[list[Named]]], Iterator[Tried]]


class Decoding:
    """Decodes the pictures of a set. Those that cannot be used are noted, so that one run names them all.

    Args:
        run: a `map`, from `pool`.
        decode: pictures -> uint8 (n, c, h, w); raises DataError.
    """

    def __init__(self, run: Run, decode: Decode) -> None:
        self.run = run
        self.decode = decode
        self.wrong: list[str] = []

    def __call__(self, files: Iterable[tuple[str, Reader]]) -> Iterator[np.ndarray]:
        """The images of all pictures that can be used, in batches, in order."""
        for images, wrong in self.run(partial(attempt, self.decode), self._batches(files)):
            self.wrong += wrong
            if images is not None:
                yield images

    def finish(self, path: Path) -> None:
        """Raise one DataError for all pictures of `path` that cannot be used."""
        if self.wrong:
            raise all_of(path, sorted(self.wrong))

    def _batches(self, files: Iterable[tuple[str, Reader]]) -> Iterator[list[Named]]:
        batch: list[Named] = []
        for name, read in files:
            try:
                batch.append((name, read()))
            except DataError as error:
                self.wrong.append(str(error))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch


def attempt(decode: Decode, files: Sequence[Named]) -> Tried:
    """A batch decoded, or else the sentences of its pictures that cannot be used."""
    try:
        return decode(files), []
    except DataError:
        return None, [text for file in files if (text := _fault(decode, file))]


def _fault(decode: Decode, file: Named) -> str:
    try:
        decode([file])
    except DataError as error:
        return str(error)
    return ""


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


def ordered(
    executor: Executor, ahead: int, decode: Callable[[Sequence[Named]], T], batches: Iterable[list[Named]]
) -> Iterator[T]:
    """Results in the order of `batches`, with few in memory. (`Executor.map` would first read the whole archive.)"""
    waiting: deque[Future[T]] = deque()
    for batch in batches:
        waiting.append(executor.submit(decode, batch))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
