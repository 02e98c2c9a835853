"""Artifacts go to an S3 server on this machine, and a fresh clone that has them from there has nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from project import Project
from stubs import TARGET, agreed
from test_versioning import PROFILE, cloned, configured


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 server on this machine that has a bucket, `wae`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="wae")
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def test_a_clone_pulls_from_s3_and_has_nothing_to_do(project: Project, s3: str, tmp_path: Path) -> None:
    configured(project, url="s3://wae/store", endpointurl=s3)
    project.run("dvc", "push", "--quiet", "--with-deps", PROFILE)
    clone = cloned(project, tmp_path / "clone")
    assert clone.planned(TARGET)
    clone.run("dvc", "pull", "--quiet", "--with-deps", PROFILE)
    assert agreed(clone) == set()
