"""Memory of a whole evaluation at CelebA's size, by stage: 10,000 images of 64x64x3 and 64 codes, no GPU.

    python bench/evaluation.py [threads [part ...]]          parts from 0 to 3; all where none is named

What runs is `wae.metrics.evaluate` with the settings of CelebA in params.yaml, one sampling, on faces that the project
draws (training images: 10,000 of them, over and over, memory-mapped; held out: the same, mirrored) and an untrained
network at 1/8 of its width. In place of the networks, whose weights it does not need, fixed random projections give as
many features, 2048 and 64. What the networks take is measured of one batch each: Inception-v3, and the paper's
auto-encoder at its full width.

A process of its own for each part. `own` is the largest anonymous memory while a stage ran, `all` with the pages of the
mapped training images, which the system takes back when it needs them; both hold what was in memory before the stage.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from inception import official  # the benchmark beside this one

from wae.data.faces import faces
from wae.io import read_array
from wae.metrics import evaluate
from wae.metrics.features.extractors import INCEPTION_BATCH, Extractor
from wae.models.compose import build
from wae.pipeline.profile import Profile

SHAPE = (3, 64, 64)
TRAINING, DRAWN = 162_770, 10_000
STAGES = (
    *("rounded", "feature_measures", "memory_measures", "patch_measures", "mean_sharpness", "nearest_images"),
    *("code_measures", "expost_measures"),
)
PARTS = ("features of 2048", "features of 64", "one batch of Inception-v3", "one batch of the full width")
PROFILE = Profile.read("")
DATASET, MODEL = PROFILE.data["datasets"]["celeba"], PROFILE.params["models"]["celeba"]["wae-mmd"]


def held() -> tuple[float, float]:
    """Anonymous and all resident memory of this process, in MiB."""
    status = Path("/proc/self/status").read_text()
    own, everything = (int(status.split(f"{key}:")[1].split()[0]) / 1024 for key in ("RssAnon", "VmRSS"))
    return own, everything


@contextmanager
def peak(name: str) -> Iterator[None]:
    """Print the largest memory while the block ran, and how long it did."""
    most, done, start = np.array(held()), threading.Event(), time.perf_counter()

    def watch() -> None:
        while not done.wait(0.01):
            most[:] = np.maximum(most, held())

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    done.set()
    thread.join()
    print(f"  {name:28}{most[0]:8.0f}{most[1]:8.0f}{time.perf_counter() - start:8.1f}", flush=True)


def watched(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def measured(*args: Any, **kwargs: Any) -> Any:
        with peak(name):
            return run(*args, **kwargs)

    return measured


def projection(name: str, dim: int) -> dict[str, Extractor]:
    """Random features of pixels, in the place of a network's."""
    matrix = torch.randn(int(np.prod(SHAPE)), dim, generator=torch.Generator().manual_seed(0)) / 100
    return {name: Extractor(name, "0" * 64, dim, lambda x: (x.flatten(1).float() @ matrix).relu(), "cpu", 500)}


def network(width: float) -> torch.nn.Module:
    entry = deepcopy(MODEL)
    entry["network"]["width"] = width
    torch.manual_seed(0)
    return build(DATASET, entry).eval()


def whole(folder: Path, name: str, dim: int) -> None:
    """The evaluation, every stage watched."""
    train, test = read_array(folder / "train.npy"), read_array(folder / "test.npy")
    for stage in STAGES:
        setattr(evaluate, stage, watched(stage, getattr(evaluate, stage)))
    settings, generator = PROFILE.params["evaluation"]["celeba"] | {"samplings": 1}, torch.Generator().manual_seed(1)
    with peak("the whole evaluation"):
        evaluate.evaluate(
            network(0.125), train, test, projection(name, dim), settings, device="cpu", generator=generator
        )


def one_batch(part: str) -> None:
    """The networks that were left out, at the batches that evaluation has."""
    batch = PROFILE.params["evaluation"]["celeba"]["batch"]
    with torch.no_grad():
        if part == PARTS[2]:
            with peak(f"{INCEPTION_BATCH} images"):
                official()(torch.zeros(INCEPTION_BATCH, *SHAPE, dtype=torch.uint8))
        else:
            model = network(1.0)
            with peak(f"{batch} images there and back"):
                model.decode(model.encode(torch.rand(batch, *SHAPE)))


def images(folder: Path) -> None:
    """train.npy and test.npy."""
    drawn, _ = faces(DRAWN, SHAPE[-1], np.random.default_rng(0))
    np.save(folder / "test.npy", drawn[..., ::-1])
    train = np.lib.format.open_memmap(folder / "train.npy", mode="w+", dtype=np.uint8, shape=(TRAINING, *SHAPE))
    for start in range(0, TRAINING, DRAWN):
        train[start : start + DRAWN] = drawn[: TRAINING - start]


def main() -> None:
    """Print the peak memory of each part and stage."""
    if sys.argv[1:2] == ["--one"]:
        part, folder, threads = sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
        torch.set_num_threads(threads)
        print(f"{part:30}{'own':>8}{'all':>8}{'s':>8}", flush=True)
        runs = {PARTS[0]: ("inception", 2048), PARTS[1]: ("classifier", 64)}
        whole(folder, *runs[part]) if part in runs else one_batch(part)
        return
    threads = sys.argv[1] if len(sys.argv) > 1 else "1"
    parts = [PARTS[int(number)] for number in sys.argv[2:]] or PARTS
    with TemporaryDirectory() as folder:
        if any(part.startswith("features") for part in parts):
            images(Path(folder))
        for part in parts:
            subprocess.run([sys.executable, __file__, "--one", part, folder, threads], check=True)


if __name__ == "__main__":
    main()
