"""One file of a folder or an archive, and the errors of one that is damaged."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from wae.data.errors import DataError

# Errors of the decompressors for damaged members. zipfile raises RuntimeError for encryption and unknown methods.
DAMAGE = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, OSError, RuntimeError)

Reader = Callable[[], bytes]


@dataclass(frozen=True, order=True)
class Member:
    """A file of a set of pictures: its name in the set, its size in bytes, and a function that reads it."""

    name: str
    size: int = field(compare=False)
    read: Reader = field(compare=False)


def inside(path: Path, name: str) -> str:
    """The name of a file of an archive, with slashes. DataError if it leads out of the archive.

    Some programs of Windows write backslashes, which the format forbids.
    """
    plain = PurePosixPath(name.replace("\\", "/"))
    if ".." in plain.parts or plain.is_absolute() or PureWindowsPath(name).anchor:
        raise DataError(f"{path} has a file {name!r}, whose name leads out of it")
    return plain.as_posix()


def once(path: Path, names: list[str]) -> None:
    """DataError if a name is there twice."""
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise DataError(f"{path} has two files of one name, {twice}")


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of one file of an archive.

    Raises:
        DataError: it is damaged, encrypted, or compressed with a method that cannot be read here.
    """
    try:
        return archive.read(info)
    except DAMAGE as error:
        raise DataError(f"{archive.filename}: {info.filename} cannot be read ({error})") from error
