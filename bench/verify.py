"""`wae verify --deep` beside a plain md5 of the same bytes: `python bench/verify.py [--megabytes 1000]`.

The smoke run of stubs, its weights replaced by random bytes before DVC records them: half under results/, half in DVC's
cache, which `--deep` reads too. Seconds of wall time, the least of three, files in the page cache.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.project import Project
from support.stubs import TARGET, snakemake, stubbed

WRITES = "        path.write_bytes(PIXEL"
RANDOM = """        if path.suffix == ".safetensors" and job.stage.name == "train":
            path.write_bytes(os.urandom({size}))
            continue
"""


def least(run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    size = parser.parse_args().megabytes * 10**6 // 4
    with tempfile.TemporaryDirectory() as folder:
        project = stubbed(Path(folder, "project"))
        project.edit("wae/stages/stub.py", WRITES, RANDOM.format(size=size) + WRITES)
        snakemake(project, TARGET)
        measure(project)


def measure(project: Project) -> None:
    roots = [project.folder / name for name in ("data", "results", ".dvc/cache/files")]
    files = [str(path) for root in roots for path in root.rglob("*") if path.is_file()]
    total = sum(Path(path).stat().st_size for path in files)
    plain = least(lambda: subprocess.run(["md5sum", *files], stdout=subprocess.DEVNULL, check=True))
    deep = least(lambda: project.run("wae", "verify", "--deep", "smoke"))
    quick = least(lambda: project.run("wae", "verify", "smoke"))
    print(f"{len(files)} files, {total / 1e9:.3f} GB")
    for name, seconds in {"md5sum": plain, "wae verify --deep": deep, "wae verify": quick}.items():
        print(f"{name:20}{seconds:6.2f} s")


if __name__ == "__main__":
    main()
