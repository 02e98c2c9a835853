"""Images a second and memory of `wae prepare` on CelebA against a plain Pillow loop, in one run.

    WAE_MIRROR=../shared/data python bench/prepare.py [processes]

The archive is <mirror>/celeba/img_align_celeba.zip, whole or a subset. Memory is summed over the process tree, what
each process holds alone and its share of what several hold (PSS), ten times a second. It is measured in fresh processes
for half of the images and for all: the difference is what grows with them, from which 202,599 are extrapolated.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from wae.config.check import load_data
from wae.data import celeba
from wae.data.prepare import prepare

ALL = 202_599
RAW = Path(os.environ.get("WAE_MIRROR") or "mirror") / "celeba"
ENTRY = load_data(Path("data/params.yaml"))["datasets"]["celeba-15k"]


def tree(root: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield root
    for task in Path(f"/proc/{root}/task").glob("*"):
        for child in (task / "children").read_text().split():
            yield from tree(int(child))


def memory(root: int) -> float:
    """MiB of a process tree."""
    total = 0
    for pid in tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # it ended meanwhile
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


@contextmanager
def peak() -> Iterator[Callable[[], float]]:
    """Yields a function that says the largest memory so far, in MiB."""
    most, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            try:
                most[0] = max(most[0], memory(os.getpid()))
            except OSError:
                continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        done.set()
        thread.join()


def loop(images: int) -> float:
    """Images a second of Pillow in a plain loop over the archive, one after the other, all kept in a list."""
    start, kept = time.perf_counter(), []
    with zipfile.ZipFile(RAW / celeba.ARCHIVE) as archive:
        for name in [name for name in archive.namelist() if name.endswith(".jpg")][:images]:
            picture = Image.open(io.BytesIO(archive.read(name))).convert("RGB").crop(ENTRY["crop"])
            kept.append(np.asarray(picture.resize((64, 64), Image.Resampling.LANCZOS)).transpose(2, 0, 1))
    return images / (time.perf_counter() - start)


def ours(raw: Path, processes: int, train: int, test: int) -> tuple[float, float]:
    """Images a second of the whole stage (decoding, writing, checks), and its peak memory in MiB."""
    entry = {**ENTRY, "train": train, "test": test}
    with TemporaryDirectory() as out, peak() as most:
        start = time.perf_counter()
        prepare("celeba-15k", entry, raw, Path(out), processes=processes)
        return (train + test) / (time.perf_counter() - start), most()


def part(folder: Path) -> tuple[int, int]:
    """An archive of the first half of the training and of the test images; how many of each it has."""
    with celeba.opened(RAW / celeba.ARCHIVE) as archive, zipfile.ZipFile(folder / celeba.ARCHIVE, "w") as smaller:
        splits = celeba.partition(RAW / celeba.PARTITION, members := celeba.pictures(archive))
        chosen = {split: names[: len(names) // 2] for split, names in splits.items()}
        for name in (*chosen["train"], *chosen["test"]):
            smaller.writestr(name, archive.read(members[name]))
    (folder / celeba.PARTITION).write_bytes((RAW / celeba.PARTITION).read_bytes())
    return len(chosen["train"]), len(chosen["test"])


def fresh(raw: Path, processes: int, train: int, test: int) -> tuple[float, float]:
    """`ours` in a Python of its own."""
    command = [sys.executable, __file__, "--one", str(raw), *map(str, (processes, train, test))]
    rate, most = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(rate), float(most)


def main() -> None:
    """Print rates, memory and what the whole of CelebA would take."""
    if sys.argv[1:2] == ["--one"]:
        print(*ours(Path(sys.argv[2]), *map(int, sys.argv[3:])))
        return
    processes = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    sizes = ENTRY["train"], ENTRY["test"]
    with TemporaryDirectory() as folder:
        few = part(Path(folder))
        _, small = fresh(Path(folder), processes, *few)
    plain = loop(3000)
    rate, large = fresh(RAW, processes, *sizes)
    again = loop(3000)
    slope = max(0.0, large - small) / (sum(sizes) - sum(few))
    print(f"plain Pillow loop, 1 process: {plain:.0f} images/s before and {again:.0f} after")
    print(f"wae prepare, {processes} processes: {rate:.0f} images/s, {2 * rate / (plain + again):.2f} times the loop")
    print(f"all {ALL:,} images at that rate: {ALL / rate:.0f} s")
    print(f"peak memory of the process tree: {small:.0f} MiB for {sum(few):,} images, {large:.0f} for {sum(sizes):,}")
    print(f"extrapolated to {ALL:,} images: {large + slope * (ALL - sum(sizes)):.0f} MiB")


if __name__ == "__main__":
    main()
