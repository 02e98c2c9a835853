"""Downloads one file from one address into a `.part` file. The caller checks that it is the right file."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import TracebackType
from urllib.request import getproxies, proxy_bypass

import httpx

from wae.data.errors import writing
from wae.data.progress import progress

LOCAL = ("127.0.0.1", "localhost", "::1")
LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")
PASSING = {408, 429, 500, 502, 503, 504}  # status codes of temporary errors


class TransferError(Exception):
    """Why an address did not give the file, in a few words."""


class Web:
    """An HTTP client that resumes and retries. It does not ask a host again that it could not reach."""

    def __init__(self, timeout: float, attempts: int, pause: float) -> None:
        self.timeout = timeout
        self.attempts = attempts
        self.pause = pause
        self.unreachable: dict[str, str] = {}
        self.stack = ExitStack()

    def __enter__(self) -> Web:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stack.close()

    @cached_property
    def client(self) -> httpx.Client:
        """The client, made for the first URL: a mirror folder needs no network and no working proxy."""
        try:
            client = httpx.Client(
                timeout=self.timeout,
                follow_redirects=True,
                # No compression on the way: a server that compresses cannot resume, and .gz files must stay .gz.
                headers={"Accept-Encoding": "identity", "User-Agent": "wae"},
                mounts=dict.fromkeys(LOOPBACK),  # no proxy for local addresses: it cannot reach them
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise TransferError(f"the proxy that the environment names cannot be used ({error})") from error
        return self.stack.enter_context(client)

    def fetch(self, url: str, part: Path, size: int | None) -> None:
        """Append to `part` until it is complete. Give up after `attempts` in a row without new bytes.

        Args:
            url: where the file is.
            part: the bytes received so far; kept if the connection breaks.
            size: of the whole file in bytes, where it is known.
        """
        host = _host(url)
        if host in self.unreachable:
            raise TransferError(self.unreachable[host])
        idle = 0
        while True:
            before = length(part)
            try:
                return self._attempt(url, part, size)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
                self.unreachable[host] = _no_connection(url, error)
                raise TransferError(self.unreachable[host]) from error
            except httpx.TransportError as error:
                idle = 0 if length(part) > before else idle + 1
                if idle >= self.attempts:
                    if isinstance(error, httpx.TimeoutException):
                        self.unreachable[host] = f"{host} did not answer a moment ago"
                    raise TransferError(f"{_words(error)}; gave up after {self.attempts} attempts") from error
            time.sleep(self.pause)

    def _attempt(self, url: str, part: Path, size: int | None) -> None:
        start = length(part)
        try:
            with (
                writing(part),
                self.client.stream("GET", url, headers={"Range": f"bytes={start}-"} if start else {}) as response,
            ):
                offset = _offset(response, start, part)
                total = size or _total(response, offset)
                chunks = response.iter_raw()
                first = _beginning(chunks)
                if (title := page_title(first)) is not None:  # whatever type and status it claims
                    raise TransferError(page_found(title))
                with progress(part.stem, total, "bytes", offset) as advance, part.open("ab") as file:
                    file.truncate(offset)
                    for chunk in chain([first], chunks):
                        file.write(chunk)
                        advance(len(chunk))
                        if size is not None and file.tell() > size:
                            raise TransferError(f"expected {size:,} bytes, found more")
        except (httpx.TooManyRedirects, httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.DecodingError) as error:
            raise TransferError(_words(error)) from error
        if size is not None and length(part) < size:
            raise httpx.ReadError(f"the body ended after {length(part):,} of {size:,} bytes")


def copy(source: Path, part: Path) -> None:
    """Copy a file of a mirror folder to `part`. Only what is wrong with the mirror is a TransferError."""
    try:
        found = source.expanduser().open("rb")  # closed below
    except FileNotFoundError:
        raise TransferError("no such file") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: `~name`, and there is no such user
        raise TransferError(f"cannot be copied ({getattr(error, 'strerror', None) or error})") from error
    with found, writing(part), part.open("wb") as file:
        shutil.copyfileobj(found, file, 1 << 20)


def length(path: Path) -> int:
    """The size of a file in bytes; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def page_title(beginning: bytes) -> str | None:
    """The title of a web page, empty if it has none; None for anything that is not a web page."""
    text = beginning.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    text = re.sub(r"\A(?:\s|<\?xml.*?\?>|<!--.*?-->)+", "", text, flags=re.DOTALL)
    if not re.match(r"<(!doctype\s+html|html|head)\b", text, re.IGNORECASE):
        return None
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return " ".join(title[1].split()) if title else ""


def page_found(title: str) -> str:
    """The message for a web page that came in place of a file."""
    named = f" ({title!r})" if title else ""
    quota = "; the host's quota for this file is used up: try again in a day" if "quota" in title.lower() else ""
    return f"expected the file, found a web page{named}{quota}"


def _offset(response: httpx.Response, start: int, part: Path) -> int:
    """The position of this answer's bytes in the file: `start` if the server resumes, 0 if it starts again."""
    status = response.status_code
    if status == 416:  # no bytes after `start`: `part` is not the beginning of this file
        part.unlink(missing_ok=True)
        raise httpx.ReadError(f"the server has no bytes after {start:,}")
    if status in PASSING:
        raise httpx.ReadError(f"status {status} {response.reason_phrase}")
    if not response.is_success:
        raise TransferError(f"status {status} {response.reason_phrase}".strip())
    if "text/html" in response.headers.get("Content-Type", ""):
        raise TransferError(page_found(page_title(_beginning(response.iter_bytes(), 1 << 16)) or ""))
    if status != 206:
        return 0
    if not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        part.unlink(missing_ok=True)
        raise httpx.ReadError("the server sent another range than it was asked for")
    return start


def _beginning(chunks: Iterator[bytes], least: int = 1 << 9) -> bytes:
    """The first `least` bytes of a body, or all if it is shorter: enough to tell a web page from a file."""
    content = b""
    for chunk in chunks:
        content += chunk
        if len(content) >= least:
            break
    return content


def _total(response: httpx.Response, offset: int) -> int | None:
    announced = response.headers.get("Content-Length", "")
    return offset + int(announced) if announced.isdecimal() else None


def _host(url: str) -> str:
    try:
        return httpx.URL(url).netloc.decode()
    except httpx.InvalidURL as error:
        raise TransferError(f"not an address: {error}") from error


def _no_connection(url: str, error: Exception) -> str:
    """What could not be reached: the host, or the proxy on the way to it. Its password is not told."""
    address = httpx.URL(url)
    named = getproxies()
    proxy = named.get(address.scheme) or named.get("all")
    if not proxy or address.host in LOCAL or proxy_bypass(address.host):
        return f"cannot connect to {_host(url)} ({_words(error)})"
    place = httpx.URL(proxy).netloc.decode()  # without user and password
    if isinstance(error, httpx.ProxyError):
        return f"the proxy {place} that the environment names does not connect to {_host(url)} ({_words(error)})"
    return f"cannot connect to the proxy {place} that the environment names, for {_host(url)} ({_words(error)})"


def _words(error: Exception) -> str:
    """The message of an error; if it is empty, as for some time-outs of httpx, the error's class in words."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower().replace("timeout", "time-out")
    return str(error) or kind
