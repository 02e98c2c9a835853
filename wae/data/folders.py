"""The files of a folder and its sub-folders. Nothing in it is left out, and nothing outside it is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from wae.data.errors import DataError, reading
from wae.data.members import Member


def of_folder(path: Path) -> Iterator[Member]:
    """Every file, by its name relative to `path`. A link is followed if it leads to something in `path`.

    Raises:
        DataError: a link leads out of the folder, to nothing, or around in a circle.
        OSError: a folder or a file's size cannot be read.
    """
    root = path.resolve()
    for file in _walk(path, root, linked=False):
        yield Member(file.relative_to(path).as_posix(), file.stat().st_size, partial(_read, file))


def _read(file: Path) -> bytes:
    with reading(file):
        return file.read_bytes()


def _walk(folder: Path, root: Path, *, linked: bool) -> Iterator[Path]:
    """The files under `folder`; pipes and devices are none. `linked`: a link led here."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = Path(entry.path)
        if entry.is_symlink():
            _allowed(path, root, linked=linked)
        if entry.is_dir():
            yield from _walk(path, root, linked=linked or entry.is_symlink())
        elif entry.is_file():
            yield path


def _allowed(link: Path, root: Path, *, linked: bool) -> None:
    """DataError for a link that may not be followed."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # a circle of links is a RuntimeError before Python 3.13
        raise DataError(f"{link} is a link to nothing") from None
    if not target.is_relative_to(root):
        raise DataError(f"{link} is a link to {target}, out of the folder; put the pictures themselves into it")
    if target.is_dir() and (linked or link.parent.resolve().is_relative_to(target)):
        raise DataError(f"{link} is a link to a folder that holds it, or a link behind a link to a folder")
