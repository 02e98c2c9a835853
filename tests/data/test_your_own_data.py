"""Every entry of docs/your-own-data.md is prepared as it stands there."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.pictures import jpeg, write_celeba, write_mnist
from support.project import ROOT

from wae.config.check import load_data
from wae.data.celeba import ARCHIVE, PARTITION
from wae.data.containers import SUFFIXES
from wae.data.picture import PIXELS
from wae.data.prepare import prepare

PAGE = (ROOT / "docs/your-own-data.md").read_text(encoding="utf-8")
ENTRIES = {
    line.split(":")[0]: line
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
}
GREY = np.random.default_rng(0).integers(0, 256, (8, 28, 28), dtype=np.uint8)
PICTURES = {f"{'cat' if i % 2 else 'dog'}/{i}.jpg": jpeg(i, (80, 70)) for i in range(8)}
SPLIT = {f"{'Train' if i < 4 else 'val'}/{i}.jpg": jpeg(i, (80, 70)) for i in range(6)}


def folder(path: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def zipped(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def tarred(path: Path, files: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def idx(path: Path) -> None:
    write_mnist(path)
    for file in list(path.iterdir()):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()


def kaggle(path: Path) -> dict[str, bytes]:
    files = write_celeba(path)
    lines = (path / PARTITION).read_text().replace(" ", ",")
    (path / ARCHIVE).unlink()
    (path / PARTITION).unlink()
    return {f"img_align_celeba/img_align_celeba/{name}": content for name, content in files.items()} | {
        "list_eval_partition.csv": f"image_id,partition\n{lines}".encode()
    }


def flat(shade: int, size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("L", size, shade).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def beside(path: Path) -> None:
    path.mkdir()
    np.save(path / "images.npy", GREY)
    np.save(path / "labels.npy", np.arange(8) % 3)


MAKE: dict[str, Callable[[Path], object]] = {
    "birds": lambda path: folder(path, PICTURES),
    "split": lambda path: zipped(path, SPLIT),
    "pets": lambda path: tarred(path, PICTURES),
    "twice": lambda path: folder(path, {f"train/{i}.jpg": jpeg(i, (80, 70)) for i in range(4)}
        | {f"test/{i}.jpg": jpeg(i, (80, 70)) for i in (3, 9)}),
    "large": lambda path: folder(path, {f"{i}.png": flat(i, (7000, 5000)) for i in range(2)}),
    "array": lambda path: np.save(path, GREY),
    "keras": lambda path: np.savez(path, x_train=GREY[:6], y_train=np.arange(6), x_test=GREY[6:], y_test=np.arange(2)),
    "beside": beside,
    "digits-of-mine": idx,
    "kaggle": lambda path: zipped(path, kaggle(path.with_suffix(""))),
    "unpacked": lambda path: folder(path, kaggle(path)),
}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_of_the_page_is_prepared(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    Path("data/params.yaml").write_text(f"sources: {{}}\ndatasets:\n  {ENTRIES[name]}\n", encoding="utf-8")
    entry = load_data(Path("data/params.yaml"))["datasets"][name]
    MAKE[name](Path(entry["path"]))
    prepare(name, entry, Path("data/raw"), Path("data") / name)
    for split in ("train", "test"):
        assert np.load(f"data/{name}/{split}.npy").shape == (entry[split], *entry["shape"])


def test_the_page_names_every_ending_and_the_limit() -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith("| `.bmp"))
    assert sorted(row.split("`")[1].split()) == sorted(SUFFIXES)
    assert f"{PIXELS:,} pixels" in PAGE
