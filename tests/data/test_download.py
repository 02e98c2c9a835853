"""Downloads against servers on this machine that misbehave in every way that real ones do."""

from __future__ import annotations

import hashlib
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.loopback import BODY, HALF, Answer, Handler, closed_port, served
from support.pictures import contents
from support.unprivileged import run as unprivileged
from support.unprivileged import without_permission

from wae.config.check import Mistakes, load_data
from wae.data.download import DRIVE, DownloadError, download
from wae.data.errors import DataError
from wae.pipeline.dag import STAGES
from wae.pipeline.profile import Profile
from wae.pipeline.stage import Job
from wae.stages.download import run

QUOTA = b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>Sorry</body></html>"
PATIENCE: dict[str, float | int] = {"timeout": 0.4, "attempts": 2, "pause": 0.0}


def source(*urls: str, size: bool = True, **more: Any) -> dict[str, Any]:
    checks = {"md5": hashlib.md5(BODY).hexdigest()} | ({"bytes": len(BODY)} if size else {})
    return {"urls": list(urls), "licence": "free as air", "files": {"a.bin": checks}, **more}


def fetch(to: Path, mirror: str | None = None, *urls: str, **more: Any) -> bytes:
    download("thing", source(*urls, **more), to, [mirror] if mirror else [], **PATIENCE)
    assert sorted(path.name for path in to.iterdir()) == ["a.bin"]
    return (to / "a.bin").read_bytes()


@pytest.fixture(autouse=True)
def proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment that does not answer: nothing on this machine may go through it."""
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, closed_port())
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)


# ---- where a file comes from -----------------------------------------------


def test_file_that_is_there_and_right_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(BODY)
    before = (tmp_path / "a.bin").stat()
    assert fetch(tmp_path, None, closed_port()) == BODY
    assert (tmp_path / "a.bin").stat() == before


def test_mirror_folder_comes_before_the_urls(tmp_path: Path) -> None:
    (tmp_path / "mirror/thing").mkdir(parents=True)
    (tmp_path / "mirror/thing/a.bin").write_bytes(BODY)
    with served(Handler.rest) as (url, asked):
        assert fetch(tmp_path / "to", str(tmp_path / "mirror"), url) == BODY
        assert asked == []


def test_mirror_may_be_an_address_and_a_source_may_name_its_folder_there(tmp_path: Path) -> None:
    with served(Handler.rest) as (mirror, asked), served(Handler.rest) as (url, unasked):
        assert fetch(tmp_path / "1", mirror, url) == BODY
        assert fetch(tmp_path / "2", mirror + "/", url, folder="other") == BODY
        assert [path for path, _ in asked] == ["/thing/a.bin", "/other/a.bin"]
        assert unasked == []


def test_a_mirror_without_the_file_or_with_a_wrong_one_falls_through_to_the_urls_in_order(tmp_path: Path) -> None:
    (tmp_path / "mirror/thing").mkdir(parents=True)
    (tmp_path / "mirror/thing/a.bin").write_bytes(BODY[::-1])
    with served(lambda to: to.send(b"", 404)) as (first, asked), served(Handler.rest) as (second, last):
        assert fetch(tmp_path / "1", str(tmp_path / "mirror"), f"{first}/x/", f"{second}/y/") == BODY
        assert fetch(tmp_path / "2", str(tmp_path / "nowhere"), f"{second}/y/") == BODY
        assert asked == [("/x/a.bin", None)]
        assert last == [("/y/a.bin", None)] * 2


@pytest.mark.parametrize(
    ("mirror", "why"),
    [("file", "Not a directory"), ("folders", "Is a directory"), ("long" * 99, "File name too long"),
     ("~nobody-of-that-name", "home directory")],
)  # fmt: skip
def test_a_mirror_that_cannot_be_read_is_one_reason_among_others(tmp_path: Path, mirror: str, why: str) -> None:
    (tmp_path / "file").write_bytes(BODY)
    (tmp_path / "folders/thing/a.bin").mkdir(parents=True)
    path = mirror if mirror.startswith("~") else str(tmp_path / mirror)
    with pytest.raises(DownloadError) as caught:
        download("thing", source(), tmp_path / "to", [path], **PATIENCE)
    (line,) = (line for line in str(caught.value).splitlines() if line.startswith("  "))
    assert line.startswith(f"  {path}/thing/a.bin: cannot be copied (")
    assert why in line
    with served(Handler.rest) as (url, _):
        assert fetch(tmp_path / "to", path, url) == BODY


def test_a_mirror_with_another_protocol_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    says = "WAE_MIRROR is 'ftp://a/b'; allowed: an http:// or https:// address, or a folder"
    with served(Handler.rest) as (url, asked), pytest.raises(DownloadError) as caught:
        fetch(tmp_path / "to", "ftp://a/b", url)
    assert str(caught.value) == says
    assert asked == []


def test_a_redirect_is_followed(tmp_path: Path) -> None:
    with served(Handler.rest) as (there, _), served(lambda to: to.send(b"", 302, Location=f"{there}/z")) as (here, _):
        assert fetch(tmp_path, None, here) == BODY


def test_a_redirect_is_asked_for_the_range_too(tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(BODY[:HALF])
    with (
        served(Handler.rest) as (there, asked),
        served(lambda to: to.send(b"", 302, Location=f"{there}/z")) as (here, _),
    ):
        assert fetch(tmp_path, None, here) == BODY
    assert asked == [("/z", f"bytes={HALF}-")]


def test_google_drive_is_asked_by_id_after_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(lambda to: to.send(b"", 404)) as (first, _), served(Handler.rest) as (drive, asked):
        monkeypatch.setattr("wae.data.download.DRIVE", DRIVE.replace("https://drive.usercontent.google.com", drive))
        assert fetch(tmp_path, None, first, drive={"a.bin": "0B7_x-Y"}) == BODY
    assert asked == [("/download?id=0B7_x-Y&export=download&confirm=t", None)]


def test_google_drive_over_its_quota_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(lambda to: to.send(QUOTA, Content_Type="text/html; charset=utf-8")) as (drive, _):
        monkeypatch.setattr("wae.data.download.DRIVE", f"{drive}/{{}}")
        with pytest.raises(DownloadError, match=f"{drive}/id: .* found a web page .*try again in a day"):
            download("thing", source(drive={"a.bin": "id"}), tmp_path, [], **PATIENCE)
    assert list(tmp_path.iterdir()) == []


def test_a_file_put_into_mirror_by_hand_is_taken_and_its_licence_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WAE_MIRROR", raising=False)
    (tmp_path / "mirror/thing").mkdir(parents=True)
    (tmp_path / "mirror/thing/a.bin").write_bytes(BODY)
    profile = Profile("", {}, {"sources": {"thing": source()}, "datasets": {}})
    job = Job(STAGES["download"], profile, {"source": "thing"})
    run(job)
    assert contents(tmp_path / "data/raw/thing") == {"a.bin": BODY}
    assert capsys.readouterr().err.count("free as air") == 1
    assert job.slice()["sources.thing.licence"] == "free as air"  # and so it stands in the receipt


def test_a_file_put_into_mirror_by_hand_is_taken_while_another_mirror_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advice of a download that failed is to put the file there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAE_MIRROR", str(tmp_path / "elsewhere"))
    job = Job(
        STAGES["download"], Profile("", {}, {"sources": {"thing": source()}, "datasets": {}}), {"source": "thing"}
    )
    with pytest.raises(DownloadError, match="put them into mirror/thing/ and run again"):
        run(job)
    (tmp_path / "mirror/thing").mkdir(parents=True)
    (tmp_path / "mirror/thing/a.bin").write_bytes(BODY)
    run(job)
    assert contents(tmp_path / "data/raw/thing") == {"a.bin": BODY}
    for place in ("elsewhere", "mirror"):
        (tmp_path / place / "thing").mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "thing/b.bin").write_bytes(place.encode())
    named, by_hand = (hashlib.md5(place.encode()).hexdigest() for place in ("elsewhere", "mirror"))
    for digest, expected in ((named, b"elsewhere"), (by_hand, b"mirror")):  # the one that is right, in this order
        download(
            "thing",
            {**source(), "files": {"b.bin": {"md5": digest}}},
            tmp_path / digest,
            [str(tmp_path / "elsewhere"), str(tmp_path / "mirror")],
        )
        assert contents(tmp_path / digest) == {"b.bin": expected}


def test_only_the_beginning_of_a_sha256_may_be_known(tmp_path: Path) -> None:
    entry = source()
    digest = hashlib.sha256(BODY).hexdigest()
    with served(Handler.rest) as (url, _):
        entry |= {"urls": [url], "files": {"a.bin": {"sha256_begins": digest[:8]}}}
        download("thing", entry, tmp_path, [], **PATIENCE)
        entry["files"] = {"b.bin": {"sha256_begins": "0" * 8}}
        with pytest.raises(DownloadError, match=f"expected sha256 begins 00000000, found {digest}"):
            download("thing", entry, tmp_path, [], **PATIENCE)
        entry["files"] = {"b.bin": {"sha256_begins": digest[1:]}}  # found in it, but later
        with pytest.raises(DownloadError, match=f"expected sha256 begins {digest[1:]}, found {digest}"):
            download("thing", entry, tmp_path, [], **PATIENCE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


# ---- what goes wrong on the way --------------------------------------------


def test_a_dropped_connection_is_resumed_by_range(tmp_path: Path) -> None:
    with served(lambda to: to.rest(4096)) as (url, asked):
        assert fetch(tmp_path, None, url) == BODY
    assert [ranges for _, ranges in asked] == [None, "bytes=4096-", "bytes=8192-"]


@pytest.mark.parametrize("size", [True, False])
def test_a_part_of_an_earlier_run_is_resumed(tmp_path: Path, size: bool) -> None:
    (tmp_path / "a.bin.part").write_bytes(BODY[:HALF])
    with served(Handler.rest) as (url, asked):
        assert fetch(tmp_path, None, url, size=size) == BODY
    assert asked == [("/a.bin", f"bytes={HALF}-")]


def test_a_part_that_is_whole_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(BODY)
    assert fetch(tmp_path, None, closed_port()) == BODY


@pytest.mark.parametrize("stale", [b"?" * HALF, b"?" * len(BODY), b"?" * 2 * len(BODY)])
@pytest.mark.parametrize("size", [True, False])
def test_a_part_of_something_else_is_begun_anew(tmp_path: Path, stale: bytes, size: bool) -> None:
    (tmp_path / "a.bin.part").write_bytes(stale)
    with served(Handler.rest) as (url, asked):
        assert fetch(tmp_path, None, url, size=size) == BODY
    assert asked[-1] == ("/a.bin", None)


def test_a_server_without_ranges_sends_all_again(tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(BODY[:HALF])
    with served(lambda to: to.send(BODY)) as (url, asked):
        assert fetch(tmp_path, None, url) == BODY
    assert asked == [("/a.bin", f"bytes={HALF}-")]


def test_a_server_that_sends_another_range_is_not_believed(tmp_path: Path) -> None:
    def shifted(to: Handler) -> None:
        if to.start():
            to.send(BODY[1:], 206, Content_Range=f"bytes 1-{len(BODY) - 1}/{len(BODY)}")
        else:
            to.send(BODY)

    (tmp_path / "a.bin.part").write_bytes(BODY[:HALF])
    with served(shifted) as (url, _):
        assert fetch(tmp_path, None, url) == BODY


def test_a_stall_ends_and_the_download_goes_on(tmp_path: Path) -> None:
    def stalls_once(to: Handler) -> None:
        if to.start():
            return to.rest()
        to.rest(HALF)
        time.sleep(1.0)

    with served(stalls_once) as (url, asked):
        assert fetch(tmp_path, None, url) == BODY
    assert [ranges for _, ranges in asked] == [None, f"bytes={HALF}-"]


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    answers = iter([lambda to: to.send(b"", 503), Handler.rest])
    with served(lambda to: next(answers)(to)) as (url, _):
        assert fetch(tmp_path, None, url) == BODY


def test_a_file_that_is_compressed_stays_as_it_is(tmp_path: Path) -> None:
    """Some servers declare a .gz file as an encoding of its content."""
    with served(lambda to: to.send(BODY, Content_Encoding="gzip")) as (url, _):
        assert fetch(tmp_path, None, url) == BODY


# ---- what cannot be mended: one error, nothing under the final name --------


HOPELESS: dict[str, tuple[Answer, str]] = {
    "truncated": (lambda to: to.send(BODY[:HALF], announced=len(BODY)), "gave up after 2 attempts"),
    "truncated, length not announced": (lambda to: to.send(BODY[:HALF], announced=-1), "ended after 5,120 of 10,240"),
    "wrong bytes": (lambda to: to.send(BODY[::-1]), r"expected md5 \w{32}, found \w{32}"),
    "too many bytes": (lambda to: to.send(BODY * 2), "expected 10,240 bytes, found more"),
    "quota page": (lambda to: to.send(QUOTA, Content_Type="text/html; charset=utf-8"), "Quota exceeded.*in a day"),
    "disguised page": (lambda to: to.send(QUOTA + b" " * (len(BODY) - len(QUOTA))), "found a web page .*Quota"),
    "short disguised page": (
        lambda to: to.send(b"<?xml version='1.0'?>\n<!-- x -->" + QUOTA, Content_Type="application/octet-stream"),
        "Quota exceeded.*in a day",
    ),
    "redirect to a quota page": (
        lambda to: to.send(QUOTA, Content_Type="text/html") if to.path == "/q" else to.send(b"", 302, Location="/q"),
        "Quota exceeded.*in a day",
    ),
    "stalls each time": (
        lambda to: (to.send(BODY[:HALF], announced=len(BODY)), time.sleep(0.6)),
        "time-out|timed out",
    ),
    "not found": (lambda to: to.send(b"gone", 404), "status 404"),
    "always busy": (lambda to: to.send(b"", 503), "status 503"),
    "always too many requests": (lambda to: to.send(b"", 429), "status 429.*gave up after 2 attempts"),
    "endless redirect": (lambda to: to.send(b"", 302, Location=to.path), "redirect"),
    "redirect to a file": (lambda to: to.send(b"", 302, Location="file:///etc/passwd"), "file:///etc/passwd|protocol"),
    "no answer": (lambda to: time.sleep(0.6), "time-out|timed out"),
}


@pytest.mark.parametrize("case", HOPELESS)
def test_hopeless(tmp_path: Path, case: str) -> None:
    answer, words = HOPELESS[case]
    with served(answer) as (url, _), pytest.raises(DownloadError, match=words) as caught:
        download("thing", source(url), tmp_path, [], **PATIENCE)
    message = str(caught.value)
    assert f"{url}/a.bin" in message
    assert "a.bin (md5 " in message
    assert "mirror/thing/" in message
    assert {path.name for path in tmp_path.iterdir()} <= {"a.bin.part"}


def as_rest(to: Handler, kind: str) -> None:
    to.send(QUOTA, 206, Content_Type=kind, Content_Range=f"bytes {to.start()}-{len(BODY) - 1}/{len(BODY)}")


def dripped(to: Handler) -> None:
    """A page whose first bytes say nothing yet."""
    to.send(QUOTA[:3], announced=len(QUOTA))
    to.wfile.flush()
    time.sleep(0.1)
    to.wfile.write(QUOTA[3:])


PAGES: dict[str, Answer] = {
    "as a page": lambda to: to.send(QUOTA, Content_Type="text/html"),
    "as a file": lambda to: to.send(QUOTA, Content_Type="application/octet-stream"),
    "as the rest of a page": lambda to: as_rest(to, "text/html"),
    "as the rest of a file": lambda to: as_rest(to, "application/octet-stream"),
    "a few bytes at a time": dripped,
}


@pytest.mark.parametrize("case", PAGES)
@pytest.mark.parametrize("size", [True, False])
def test_a_quota_page_does_not_spoil_what_came_before_it(tmp_path: Path, case: str, size: bool) -> None:
    (tmp_path / "a.bin.part").write_bytes(BODY[:HALF])
    with served(PAGES[case]) as (url, asked), pytest.raises(DownloadError, match=r"Quota exceeded.*in a day"):
        download("thing", source(url, size=size), tmp_path, [], **PATIENCE)
    assert asked == [("/a.bin", f"bytes={HALF}-")]
    assert contents(tmp_path) == {"a.bin.part": BODY[:HALF]}
    with served(Handler.rest) as (url, asked):
        assert fetch(tmp_path, None, url) == BODY
    assert asked == [("/a.bin", f"bytes={HALF}-")]


def test_wrong_bytes_leave_nothing_at_all(tmp_path: Path) -> None:
    with served(lambda to: to.send(BODY[::-1])) as (url, _), pytest.raises(DownloadError):
        download("thing", source(url, size=False), tmp_path, [], **PATIENCE)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_under_the_final_name_is_moved_away(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"by hand, but not this")
    with pytest.raises(DownloadError, match=r"expected 10,240 bytes, found 21; moved to a\.bin\.rejected"):
        download("thing", source(), tmp_path, [], **PATIENCE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin.rejected"]


def test_no_network_says_what_to_fetch_from_where_and_where_to_put_it(tmp_path: Path) -> None:
    first, second = closed_port(), closed_port()
    entry = source(first, second)
    entry["files"]["b.bin"] = {"md5": "0" * 32}
    with pytest.raises(DownloadError) as caught:
        download("thing", entry, tmp_path, [str(tmp_path / "mirror")], **PATIENCE)
    message = str(caught.value)
    assert "2 of 2 files" in message
    for words in (first, second, "cannot connect", "no such file", "WAE_MIRROR", "thing/<file>", "free as air"):
        assert words in message
    for file in ("a.bin", "b.bin"):
        assert file in message
    assert "mirror/thing/" in message
    assert list(tmp_path.iterdir()) == []


def test_celeba_is_explained_by_hand(tmp_path: Path) -> None:
    entry = load_data(Path("data/params.yaml"))["sources"]["celeba"]
    with pytest.raises(DownloadError) as caught:
        download("celeba", entry, tmp_path, [], **PATIENCE)
    message = str(caught.value)
    for words in (
        "drive.usercontent.google.com",
        "0B7EVK8r0v71pZjFTYXZWM3FlRnM",
        "projects/CelebA.html",
        "img_align_celeba.zip",
        "list_eval_partition.txt",
        "non-commercial",
        "mirror/celeba/",
        "WAE_MIRROR",
    ):
        assert words in message


def test_a_proxy_that_cannot_be_used_is_named_only_where_a_url_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "carrier-pigeon://coop")
    (tmp_path / "mirror/thing").mkdir(parents=True)
    (tmp_path / "mirror/thing/a.bin").write_bytes(BODY)
    assert fetch(tmp_path / "1", str(tmp_path / "mirror"), "https://example.invalid/") == BODY
    with pytest.raises(DownloadError, match="proxy that the environment names"):
        download("thing", source("https://example.invalid/"), tmp_path / "2", [], **PATIENCE)


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def name(address: str) -> None:
        for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(variable, address)

    return name


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dead_proxy_is_named_and_its_password_is_not(
    scheme: str, tmp_path: Path, proxied: Callable[[str], None]
) -> None:
    place = closed_port().removeprefix("http://").rstrip("/")
    proxied(f"http://me:secret@{place}")
    with pytest.raises(DownloadError) as caught:
        download("thing", source(f"{scheme}://host.invalid/x/"), tmp_path, [], **PATIENCE)
    (line,) = (line for line in str(caught.value).splitlines() if line.startswith("  "))
    said = f"cannot connect to the proxy {place} that the environment names, for host.invalid ("
    assert line.startswith(f"  {scheme}://host.invalid/x/a.bin: {said}")
    assert "secret" not in str(caught.value)


def test_a_proxy_that_refuses_is_named(tmp_path: Path, proxied: Callable[[str], None]) -> None:
    with served(Handler.rest) as (proxy, _):  # it knows no CONNECT
        proxied(proxy)
        place = proxy.removeprefix("http://")
        says = f"the proxy {place} that the environment names does not connect to host.invalid "
        with pytest.raises(DownloadError, match=re.escape(says)):
            download("thing", source("https://host.invalid/x/"), tmp_path, [], **PATIENCE)


def test_a_host_without_a_proxy_is_told_as_the_host(tmp_path: Path) -> None:
    address = closed_port()
    with pytest.raises(DownloadError, match=f"cannot connect to {address.removeprefix('http://').rstrip('/')} "):
        download("thing", source(address), tmp_path, [], **PATIENCE)


def test_a_download_that_cannot_be_written_says_so_and_tries_no_other_address(
    tmp_path: Path, small_files: None
) -> None:
    with served(Handler.rest) as (url, asked), pytest.raises(DataError) as caught:
        download("thing", source(url, url), tmp_path, [], **PATIENCE)
    assert str(caught.value) == f"{tmp_path}/a.bin.part cannot be written (File too large)"
    assert len(asked) == 1


def test_a_copy_from_a_mirror_that_cannot_be_written_is_not_blamed_on_the_mirror(
    tmp_path: Path, in_mirror: None, small_files: None
) -> None:
    with pytest.raises(DataError) as caught:
        download("thing", source(), tmp_path / "to", [str(tmp_path / "mirror")], **PATIENCE)
    assert str(caught.value) == f"{tmp_path}/to/a.bin.part cannot be written (File too large)"


@pytest.fixture
def in_mirror(tmp_path: Path) -> None:
    (tmp_path / "mirror/thing").mkdir(parents=True)
    (tmp_path / "mirror/thing/a.bin").write_bytes(BODY)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond half of BODY: an error while writing, as of a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


DOWNLOAD = """
import sys
from pathlib import Path
from wae.data.download import download
from wae.data.errors import DataError
try:
    download('thing', {'urls': [], 'licence': '', 'files': {'a.bin': {'bytes': 1}}}, Path('data/raw/thing'), ['mirror'])
except DataError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("where", ["data", "data/raw", "data/raw/thing"])
def test_a_folder_that_cannot_be_written_is_named(where: str, tmp_path: Path) -> None:
    (tmp_path / "mirror/thing").mkdir(parents=True)
    (tmp_path / "mirror/thing/a.bin").write_bytes(b"a")
    (tmp_path / where).mkdir(parents=True)
    with without_permission(tmp_path / where, 0o500):
        done = unprivileged(DOWNLOAD, tmp_path)
    inside = {"data": "data/raw", "data/raw": "data/raw/thing"}.get(where, where)
    assert done.returncode == 1
    assert f"{inside}" in done.stderr
    assert "(Permission denied)" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_downloads_at_once_share_the_work(tmp_path: Path) -> None:
    def slow(to: Handler) -> None:
        time.sleep(0.1)
        to.rest()

    with served(slow) as (url, asked):
        threads = [threading.Thread(target=download, args=("thing", source(url), tmp_path, [])) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (tmp_path / "a.bin").read_bytes() == BODY
    assert len(asked) == 1


def test_a_file_that_nothing_can_recognise_is_refused(tmp_path: Path) -> None:
    text = Path("data/params.yaml").read_text(encoding="utf-8")
    line = "weights-inception-2015-12-05-6726825d.pth: {sha256_begins: 6726825d}"
    assert line in text
    (tmp_path / "params.yaml").write_text(text.replace(line, line.split("{")[0] + "{bytes: 9}"), encoding="utf-8")
    with pytest.raises(Mistakes, match="it needs md5, sha256 or sha256_begins"):
        load_data(tmp_path / "params.yaml")
