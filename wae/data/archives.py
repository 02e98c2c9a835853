"""The files of a zip or a tar. A compressed tar is unpacked to one temporary file: it can only be read in order."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from wae.data.errors import DataError
from wae.data.members import DAMAGE, Member, inside, once, read_member

COMPRESSED: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


def of_zip(path: Path, archive: zipfile.ZipFile) -> Iterator[Member]:
    """Every file of a zip. DataError for a link, an encrypted file, and a name that is there twice or leads out."""
    infos = [info for info in archive.infolist() if not info.is_dir() and not info.filename.endswith("\\")]
    names = [inside(path, info.filename) for info in infos]
    once(path, names)
    for name, info in zip(names, infos, strict=True):
        if info.flag_bits & 1:
            raise DataError(f"{path}/{name} is encrypted; it cannot be read")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DataError(f"{path}/{name} is a link; only files of the zip itself are read")
        yield Member(name, info.file_size, partial(read_member, archive, info))


@contextmanager
def opened_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """A tar, open so that its files can be read in any order, however it is compressed."""
    with path.open("rb") as file:
        begin = file.read(6)
    opener = next((how for magic, how in COMPRESSED.items() if begin.startswith(magic)), None)
    with ExitStack() as stack:
        packed: Any = stack.enter_context(path.open("rb"))
        plain: Any = packed
        if opener is not None:
            plain = stack.enter_context(TemporaryFile())
            with opener(packed) as stream:
                shutil.copyfileobj(stream, plain, 1 << 20)
            plain.seek(0)
        yield stack.enter_context(tarfile.open(fileobj=plain, mode="r:"))


def of_tar(path: Path, archive: tarfile.TarFile) -> Iterator[Member]:
    """Every file of a tar. DataError for a link, a name that is there twice or leads out, and a tar that is cut."""
    infos = [info for info in archive.getmembers() if not info.isdir()]
    _ended(path, archive)
    names = [inside(path, info.name) for info in infos]
    once(path, names)
    for name, info in zip(names, infos, strict=True):
        if info.issym() or info.islnk():
            raise DataError(f"{path}/{name} is a link; only files of the tar itself are read")
        if info.isreg():
            yield Member(name, info.size, partial(_read, path, archive, info))


def _ended(path: Path, archive: tarfile.TarFile) -> None:
    """DataError if the files are not followed by a block of zeros. tarfile takes a damaged header for the end."""
    assert archive.fileobj is not None
    archive.fileobj.seek(archive.offset)
    block = archive.fileobj.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or any(block):
        raise DataError(f"{path} is a tar without its end: it was cut short, or is damaged; fetch it again")


def _read(path: Path, archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    try:
        file = archive.extractfile(info)
        assert file is not None  # it is a regular file
        return file.read()
    except (tarfile.TarError, *DAMAGE) as error:
        raise DataError(f"{path}: {info.name} cannot be read ({error})") from error
