"""A server on this machine that can be told to misbehave."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BODY = bytes(range(256)) * 40  # 10,240 bytes
HALF = len(BODY) // 2

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers every request as the server's `answer` says, and notes what was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        self.server.answer(self)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass

    def send(self, body: bytes, status: int = 200, announced: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")  # or a client may send its next request into a closing connection
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if announced != -1:
            self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        self.wfile.write(body)

    def start(self) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(asked[1]) if asked else 0

    def rest(self, most: int | None = None) -> None:
        """What a server with ranges sends; at most `most` bytes before it hangs up."""
        start = self.start()
        if start >= len(BODY):
            return self.send(b"", 416)
        body = BODY[start:]
        headers = {"Content_Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"} if start else {}
        self.send(body[:most], 206 if start else 200, len(body), **headers)


@contextmanager
def served(answer: Answer) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.answer, server.asked = answer, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/"


CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def s3() -> Iterator[str]:
    """The address of an S3 server that has a bucket, `wae`; clients need the CREDENTIALS in their environment."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        boto3.client("s3", endpoint_url=f"http://{host}:{port}", **keys).create_bucket(Bucket="wae")
        yield f"http://{host}:{port}"
    finally:
        server.stop()
