"""Downloads the files of a source and verifies their checksums, or raises one error that says what to do by hand."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wae.data.errors import DataError, reading, writing
from wae.data.fetch import TransferError, Web, copy, length, page_found, page_title
from wae.data.progress import say

CHECKSUMS = {"md5": "md5", "sha256": "sha256", "sha256_begins": "sha256"}  # key of a file's entry -> algorithm

DRIVE = "https://drive.usercontent.google.com/download?id={}&export=download&confirm=t"
"""A file of Google Drive; `confirm` answers the page that says it is too large to be scanned for viruses."""

MIRROR = Path("mirror")  # the folder for files fetched by hand; what WAE_MIRROR names is tried before it


class DownloadError(DataError):
    """Files that could not be downloaded: what was expected, what was found, from where, and what to do by hand."""


def download(
    name: str,
    source: Mapping[str, Any],
    folder: Path,
    mirrors: Sequence[str],
    *,
    timeout: float = 30.0,
    attempts: int = 3,
    pause: float = 1.0,
) -> None:
    """Get every file of `source` into `folder`: a right file is kept; others come from the mirror, else from the urls.

    Args:
        name: of the source; also its folder in the mirror, unless the source has `folder`.
        source: `files` (name -> md5, sha256, sha256_begins, bytes), `urls` (tried in order), `licence`, perhaps
            `folder`, and `drive` (name -> id on Google Drive, tried last).
        folder: where the files go; created.
        mirrors: folders or http(s) addresses that hold `<name>/<file>`; tried first, in order.
        timeout: seconds without a byte before a connection counts as dead.
        attempts: after so many attempts in a row without new bytes, the next address is tried.
        pause: seconds between two attempts.

    Raises:
        DownloadError: a mirror is an address of another kind, or files could not be downloaded; one error names all.
            A wrong file never gets a final name. A `.part` file may stay; the next run continues it.
    """
    for mirror in mirrors:
        if "://" in mirror and not _web(mirror):
            raise DownloadError(f"WAE_MIRROR is {mirror!r}; allowed: an http:// or https:// address, or a folder")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder), Web(timeout, attempts, pause) as web:
            tried = {
                file: obtain(folder / file, expected, addresses(name, source, mirrors, file), web)
                for file, expected in source["files"].items()
            }
    failures = {file: reasons for file, reasons in tried.items() if reasons}
    if failures:
        raise DownloadError(explain(name, source, folder, failures))
    say(f"{name}: {len(tried)} files in {folder}, checksums right. Licence: {source['licence']}")


def addresses(name: str, source: Mapping[str, Any], mirrors: Sequence[str], file: str) -> list[str]:
    """The addresses of a file, in the order to try: the mirrors, each url of the source, Google Drive."""
    inside = [f"{mirror.rstrip('/')}/{source.get('folder') or name}" for mirror in mirrors]
    found = [f"{base.rstrip('/')}/{quote(file) if _web(base) else file}" for base in (*inside, *source["urls"])]
    drive = (source.get("drive") or {}).get(file)
    return [*found, DRIVE.format(quote(drive))] if drive else found


def _web(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def obtain(path: Path, expected: Mapping[str, Any], places: Sequence[str], web: Web) -> list[str]:
    """Get the right file to `path`. Returns an empty list, or the error of each address if no address has it."""
    tried = []
    if path.exists():
        wrong = fault(path, expected)
        if wrong is None:
            return []
        rejected = path.replace(path.with_name(f"{path.name}.rejected"))  # kept: a person may have spent an hour on it
        tried.append(f"{path}: {wrong}; moved to {rejected.name}")
    for address in places:
        try:
            fetch(address, path, expected, web)
        except TransferError as error:
            tried.append(f"{address}: {error}")
        else:
            say(f"{path} <- {address}")
            return []
    return tried or ["no address is known"]


def fetch(address: str, path: Path, expected: Mapping[str, Any], web: Web) -> None:
    """Get one file from one address: write a `.part` file beside it, check that, then rename it."""
    part = path.with_name(f"{path.name}.part")
    resumed = part.exists()
    if resumed and fault(part, expected) is None:
        part.replace(path)
        return
    if length(part) >= expected.get("bytes", math.inf):
        part.unlink()
    bring(address, part, expected.get("bytes"), web)
    wrong = fault(part, expected)
    if wrong and resumed:  # the old `.part` may have been the beginning of another file
        part.unlink()
        bring(address, part, expected.get("bytes"), web)
        wrong = fault(part, expected)
    if wrong:
        part.unlink()
        raise TransferError(wrong)
    part.replace(path)


def bring(address: str, part: Path, size: int | None, web: Web) -> None:
    """Write the bytes of an address, a URL or a path, to `part`."""
    if _web(address):
        web.fetch(address, part, size)
    else:
        copy(Path(address), part)


def fault(path: Path, expected: Mapping[str, Any]) -> str | None:
    """What is wrong with a file, None if nothing."""
    with reading(path), path.open("rb") as file:
        title = page_title(file.read(1 << 16))
    if title is not None:
        return page_found(title)
    if length(path) != expected.get("bytes", length(path)):
        return f"expected {expected['bytes']:,} bytes, found {length(path):,}"
    for key, algorithm in CHECKSUMS.items():
        if key in expected:
            found = digest(path, algorithm)
            if not found.startswith(str(expected[key])):
                return f"expected {key.replace('_', ' ')} {expected[key]}, found {found}"
    return None


def digest(path: Path, algorithm: str) -> str:
    """A file's checksum in hexadecimal. (Not for security: systems that forbid md5 for security allow this.)"""
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.new, algorithm, usedforsecurity=False)).hexdigest()


def explain(name: str, source: Mapping[str, Any], folder: Path, failures: Mapping[str, Sequence[str]]) -> str:
    """What is missing, why, and what a person can do."""
    lines = [f"{name}: {len(failures)} of {len(source['files'])} files could not be had"]
    for file, reasons in failures.items():
        what = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in source["files"][file].items())
        lines += [f"{file} ({what})", *(f"  {reason}" for reason in reasons)]
    by_hand = source.get("by_hand") or f"fetch them from {' or '.join(source['urls']) or 'their publisher'}"
    inside = source.get("folder") or name
    lines += [
        f"By hand: {by_hand.strip()}; put them into {MIRROR / inside}/ and run again.",
        f"Or name in WAE_MIRROR another folder or an http(s) address that holds {inside}/<file>.",
        f"Licence: {source['licence']}",
    ]
    return "\n".join(lines)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other download uses `folder`: two downloads would damage one `.part` file."""
    if os.name != "posix":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks; then nothing is checked
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
