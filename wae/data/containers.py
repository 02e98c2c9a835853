"""The picture files of a folder, a zip or a tar, by name: which are read, which are passed over, what is refused."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from wae.data import progress
from wae.data.archives import of_tar, of_zip, opened_tar
from wae.data.errors import DataError, reading
from wae.data.folders import of_folder
from wae.data.members import Member, Reader

SUFFIXES = (
    *(".bmp", ".jfif", ".jpe", ".jpeg", ".jpg"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
)
SETS = "a folder, zip or tar of pictures"
LARGEST = 1 << 26  # bytes of one file after unpacking, where no larger pictures are allowed
OF_MACOS = ("._", "__MACOSX", ".DS_Store")  # what macOS adds to folders and archives

Say = Callable[[str], None]


def place(entry: Mapping[str, Any], raw: Path) -> Path:
    """Where a data set's files are: at its `path`, in `raw` if it has a source; without a path, in `raw`."""
    path = entry.get("path")
    if path is None:
        return raw
    return raw / path if entry.get("source") else Path(path)


@contextmanager
def opened_pictures(
    path: Path, allowed: str = SETS, say: Say = progress.say, pixels: int = 0
) -> Iterator[dict[str, Reader]]:
    """Name -> a function that reads the picture, for a folder, zip or tar, sorted by name. No file is unpacked to disk.

    Args:
        allowed: the kinds of `path` that the caller accepts, in words.
        say: prints a line about files that are passed over.
        pixels: of the largest picture, where it is more than usual: then files may be larger too.

    Raises:
        DataError: `path` is none of these, or has no picture, or something in it cannot be read, is a link that leads
            out of it, has a name that leads out of it, or is too large.
    """
    with ExitStack() as stack:
        with reading(path):  # an error of the caller, while the files are open, is none of this
            members = _members(path, allowed, stack)
        found = [member for member in sorted(members) if is_picture(member.name)]
        passed = Counter(kind for member in members if (kind := _passed(member.name)))
        told = ", ".join(f"{n:,} {kind}" for kind, n in sorted(passed.items(), key=lambda item: (-item[1], item[0])))
        if not found:
            also = f"; passed over: {told}" if told else ""
            raise DataError(f"{path} holds no picture; looked for {', '.join(SUFFIXES)}{also}")
        if told:
            say(f"{path}: {passed.total():,} file{'s' * (passed.total() > 1)} passed over: {told}")
        most = max(LARGEST, 4 * pixels)
        for member in found:
            if member.size > most:
                raise DataError(f"{path}/{member.name} would be {member.size:,} bytes; at most {most:,} are read")
        yield {member.name: member.read for member in found}


def _members(path: Path, allowed: str, stack: ExitStack) -> list[Member]:
    kind = _kind(path)
    try:
        if kind == "folder":
            return list(of_folder(path))
        if kind == "zip":
            return list(of_zip(path, stack.enter_context(zipfile.ZipFile(path))))
        if kind == "tar":
            return list(of_tar(path, stack.enter_context(opened_tar(path))))
    except (zipfile.BadZipFile, tarfile.TarError, NotImplementedError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} cannot be read as a {kind}: {error}") from error
    raise DataError(f"{path} {kind.replace('{}', allowed)}")


def _kind(path: Path) -> str:
    """folder, zip or tar, or what is wrong, with a place for what is allowed."""
    if not path.exists():
        return "does not exist; it should be {}"
    if path.is_dir():
        return "folder"
    if not path.is_file():
        return "is not {}"
    with path.open("rb") as file:
        begin = file.read(4)
    if zipfile.is_zipfile(path):
        return "zip"
    if begin == b"PK\3\4":
        return "is a zip without its end: it was cut short, or has not arrived as a whole; fetch it again"
    try:
        return "tar" if tarfile.is_tarfile(path) else "is not {}"
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        return f"cannot be read as a tar: {error}"


def is_picture(name: str) -> bool:
    """Whether a file of this name is read: it ends as pictures do, and is not hidden."""
    return name.lower().endswith(SUFFIXES) and not _hidden(name)


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _passed(name: str) -> str:
    """How a file that is passed over is told, by its ending; an empty text if it is read, or was added by macOS."""
    if is_picture(name) or any(part.startswith(OF_MACOS) for part in PurePosixPath(name).parts):
        return ""
    if _hidden(name):
        return "hidden" if name.lower().endswith(SUFFIXES) else ""
    return PurePosixPath(name).suffix.lower() or "without an ending"
