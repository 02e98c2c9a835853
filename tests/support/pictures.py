"""Small files in the formats of the published data sets."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wae.data.celeba import ARCHIVE, PARTITION
from wae.data.mnist import FILES

REAL = Path(os.environ.get("WAE_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared/data")
CROP = (19, 39, 159, 179)
CELEBA = {
    "kind": "celeba",
    "shape": [3, 64, 64],
    "labels": False,
    "train": 2,
    "test": 5,
    "crop": list(CROP),
    "filter": "lanczos",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def idx(array: np.ndarray) -> bytes:
    sizes = np.array(array.shape, ">u4").tobytes()
    return gzip.compress(bytes((0, 0, 8, array.ndim)) + sizes + array.astype(np.uint8).tobytes(), mtime=0)


def write_mnist(raw: Path, train: int = 30, test: int = 10, **other: np.ndarray) -> dict[str, np.ndarray]:
    """Four files in MNIST's format; `other` replaces what a name such as `train_labels` would hold."""
    raw.mkdir(exist_ok=True)
    generator = np.random.default_rng(0)
    arrays = {}
    for split, n in (("train", train), ("test", test)):
        arrays[f"{split}_images"] = generator.integers(256, size=(n, 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = generator.integers(10, size=n, dtype=np.uint8)
    arrays |= other
    for split, names in FILES.items():
        for kind, file in zip(("images", "labels"), names):
            (raw / file).write_bytes(idx(arrays[f"{split}_{kind}"]))
    return arrays


CODES = {f"{i:06d}.jpg": "012"[i % 3] for i in range(1, 400)}


def jpeg(seed: int, size: tuple[int, int] = (178, 218), **options: Any) -> bytes:
    """A picture with structure at every scale."""
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(256, size=(6, 5, 3), dtype=np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    noise = generator.integers(-30, 30, size=(size[1], size[0], 3))
    stream = io.BytesIO()
    Image.fromarray(np.clip(np.asarray(coarse) + noise, 0, 255).astype(np.uint8)).save(stream, "JPEG", **options)
    return stream.getvalue()


def write_celeba(
    raw: Path, files: Mapping[str, bytes] | None = None, codes: Mapping[str, str] = CODES
) -> dict[str, bytes]:
    """An archive in CelebA's layout with every sixth picture, in no order, and a partition that knows more."""
    raw.mkdir(exist_ok=True)
    chosen = dict(files) if files is not None else {f"{i:06d}.jpg": jpeg(i) for i in (9, 3, 5, 8, 4, 2, 398, 17)}
    with zipfile.ZipFile(raw / ARCHIVE, "w") as archive:
        archive.mkdir("img_align_celeba")
        for name, content in chosen.items():
            archive.writestr(f"img_align_celeba/{name}", content)
    (raw / PARTITION).write_text("".join(f"{name} {code}\n" for name, code in codes.items()))
    return chosen


def plain(content: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(content)).convert("RGB").crop(CROP).resize((64, 64), Image.Resampling.LANCZOS)
    return np.asarray(picture).transpose(2, 0, 1)
