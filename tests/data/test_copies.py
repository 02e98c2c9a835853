"""MNIST and CelebA as others hand them on: unpacked, under other names, in Kaggle's one zip."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.pictures import CELEBA, CODES, contents, jpeg, write_celeba, write_mnist

from wae.config.check import load_data
from wae.data.celeba import ARCHIVE, PARTITION
from wae.data.errors import DataError
from wae.data.mnist import FILES
from wae.data.prepare import prepare
from wae.pipeline.dag import STAGES
from wae.pipeline.profile import Profile

MNIST = {"kind": "mnist", "shape": [1, 28, 28], "labels": True, "train": 30, "test": 10}
HELD = CELEBA


NAMES: dict[str, Callable[[str], str]] = {
    "unpacked": lambda name: name.removesuffix(".gz"),
    "with a dot": lambda name: name.removesuffix(".gz").replace("-idx", ".idx"),
    "unpacked, but still called .gz": lambda name: name,
}


@pytest.mark.parametrize("case", NAMES)
@pytest.mark.parametrize("own", [True, False])
def test_unpacked_idx_files_give_the_same_arrays(case: str, own: bool, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_mnist(raw)
    prepare("mnist", MNIST, raw, tmp_path / "1")
    for name in (name for names in FILES.values() for name in names):
        content = gzip.decompress((raw / name).read_bytes())
        (raw / name).unlink()
        (raw / NAMES[case](name)).write_bytes(content)
    if case == "unpacked, but still called .gz":
        with pytest.raises(DataError, match=r"idx3-ubyte\.gz: expected a whole gzip file"):
            prepare("mnist", MNIST, raw, tmp_path / "2")
        return
    entry = MNIST | ({"path": str(raw)} if own else {})
    prepare("mnist", entry, tmp_path / "none" if own else raw, tmp_path / "2")
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_gzipped_files_with_a_dot_are_read_too(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_mnist(raw)
    prepare("mnist", MNIST, raw, tmp_path / "1")
    for name in (name for names in FILES.values() for name in names):
        (raw / name).rename(raw / name.replace("-idx", ".idx"))
    prepare("mnist", MNIST, raw, tmp_path / "2")
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def kaggle(files: dict[str, bytes], write: Callable[[str, bytes], Any], csv: bool = True) -> None:
    """Kaggle's layout: the pictures two folders deep, the partition as CSV."""
    for name, content in files.items():
        write(f"img_align_celeba/img_align_celeba/{name}", content)
    if csv:
        lines = ["image_id,partition", *(f"{name},{code}" for name, code in CODES.items())]
        write("list_eval_partition.csv", "\r\n".join(lines).encode())
        write("list_attr_celeba.csv", b"image_id,Smiling\n")
    else:
        write(PARTITION, "".join(f"{name} {code}\n" for name, code in CODES.items()).encode())


def into(folder: Path) -> Callable[[str, bytes], None]:
    def write(name: str, content: bytes) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return write


@pytest.mark.parametrize("csv", [True, False])
def test_celeba_as_kaggle_has_it_is_celeba(csv: bool, tmp_path: Path) -> None:
    files = write_celeba(tmp_path / "raw")
    prepare("celeba", HELD, tmp_path / "raw", tmp_path / "out")
    kaggle(files, into(tmp_path / "own"), csv)
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        kaggle(files, archive.writestr, csv)
    for path in ("own", "archive.zip"):
        prepare("celeba", HELD | {"path": str(tmp_path / path)}, tmp_path / "none", tmp_path / f"of {path}")
        assert contents(tmp_path / f"of {path}") == contents(tmp_path / "out")


def test_celeba_without_its_partition_or_with_a_folder_for_its_zip_is_refused(tmp_path: Path) -> None:
    files = write_celeba(tmp_path / "raw")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("000003.jpg", files["000003.jpg"])
    says = r"archive\.zip: expected list_eval_partition\.txt or list_eval_partition\.csv in it, found neither"
    with pytest.raises(DataError, match=says):
        prepare("celeba", HELD | {"path": str(tmp_path / "archive.zip")}, tmp_path, tmp_path / "out")
    (tmp_path / "raw" / ARCHIVE).unlink()
    (tmp_path / "raw" / ARCHIVE).mkdir()
    with pytest.raises(DataError, match="expected a zip file, found a folder; unpacked, it is called img_align_celeba"):
        prepare("celeba", HELD, tmp_path / "raw", tmp_path / "out")


def test_every_damaged_picture_of_celeba_is_named(tmp_path: Path) -> None:
    files = {f"{i:06d}.jpg": jpeg(i) for i in (3, 5, 6, 9)}
    write_celeba(tmp_path / "raw", files | {name: files[name][:-3000] for name in ("000003.jpg", "000005.jpg")})
    with pytest.raises(DataError) as caught:
        prepare("celeba", HELD, tmp_path / "raw", tmp_path / "out")
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path}/raw: 2 pictures cannot be used"
    assert [line.split(":")[0] for line in lines[1:]] == [f"  {tmp_path}/raw/00000{i}.jpg" for i in (3, 5)]


def test_an_entry_with_a_path_depends_on_it_and_is_never_pushed(tmp_path: Path) -> None:
    entry = "{kind: mnist, path: data/raw/own, shape: [1, 28, 28], labels: true, train: 30, test: 10}"
    (tmp_path / "params.yaml").write_text(f"sources: {{}}\ndatasets:\n  mine: {entry}\n")
    profile = Profile("", {}, load_data(tmp_path / "params.yaml"))
    assert STAGES["prepare"].deps(profile, {"dataset": "mine"}) == ["data/raw/own"]
    assert not profile.may_leave({"dataset": "mine"})
