"""One file of a zip."""

from __future__ import annotations

import lzma
import zipfile
import zlib

from wae.data.errors import DataError

# Errors of the decompressors for damaged members. zipfile raises RuntimeError for encryption and unknown methods.
DAMAGE = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, OSError, RuntimeError)


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of one file of an archive.

    Raises:
        DataError: it is damaged, encrypted, or compressed with a method that cannot be read here.
    """
    try:
        return archive.read(info)
    except DAMAGE as error:
        raise DataError(f"{archive.filename}: {info.filename} cannot be read ({error})") from error
