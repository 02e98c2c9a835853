"""bench/gpu.sh with the smoke profile on the CPU: what a machine with a GPU will run, up to the device."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from support.project import ROOT, Project, copy

from wae.pipeline.profile import Profile

SMOKE = {"BENCH_PROFILE": "smoke", "PYTHON": sys.executable}


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", ROOT / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return module("gpu")


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    return module("train")


# ---- slices ----


@pytest.fixture
def clock(gpu: ModuleType) -> Any:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield gpu.Clock
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("code", "state"), [("0", "done"), ("3", "failed")])
def test_a_slice_that_ends_is_done_or_failed(
    code: str, state: str, gpu: ModuleType, clock: Any, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", f"print('said'); raise SystemExit({code})"]
    assert gpu.play(command, tmp_path / "logs" / "log", clock(300)) == state
    assert (tmp_path / "logs" / "log").read_text() == "said\n"


CHILD = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, lambda *a: (pathlib.Path("ended").touch(), exit(143)))
print(1, flush=True)
time.sleep(600)
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


def test_when_time_is_up_every_process_of_a_slice_gets_sigterm(
    gpu: ModuleType, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    of = clock(300)
    log = tmp_path / "log"

    class UntilTheChildIsUp:
        @property
        def left(self) -> float:
            return 0.0 if log.exists() and log.read_text() == "1\n" else of.left

    assert gpu.play([sys.executable, "-c", PARENT], log, UntilTheChildIsUp()) == "stopped"
    deadline = time.monotonic() + 60
    while not Path("ended").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert Path("ended").exists()


def test_sigterm_ends_the_time(clock: Any) -> None:
    of = clock(300)
    assert of.left > 0
    signal.raise_signal(signal.SIGTERM)
    assert of.left == 0


def test_no_slice_starts_when_little_time_is_left(gpu: ModuleType, clock: Any, tmp_path: Path) -> None:
    one = gpu.Slice("one", "", [sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"])
    marks = {"one": gpu.Mark()}
    gpu.work([one], marks, clock(gpu.ENOUGH - 1), tmp_path, tmp_path)
    assert marks["one"].state == "new"
    gpu.work([one], marks, clock(300), tmp_path, tmp_path)
    assert (marks["one"].state, marks["one"].calls) == ("done", 1)
    assert json.loads((tmp_path / "slices.json").read_text())["one"]["state"] == "done"
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(("device", "state"), [("cpu", "done"), ("cuda", "failed")])
def test_a_skipped_gpu_test_is_a_failure_where_there_is_a_gpu(
    device: str, state: str, gpu: ModuleType, clock: Any, tmp_path: Path
) -> None:
    report = tmp_path / "tests.xml"
    xml = "<s><testcase classname='a' name='b'><skipped/></testcase><testcase classname='a' name='c'/></s>"
    write = [sys.executable, "-c", f"open({str(report)!r}, 'w').write({xml!r})"]
    one = gpu.Slice("tests", "", write, lambda out: gpu.keep_tests(report, device, out))
    marks = {"tests": gpu.Mark()}
    gpu.work([one], marks, clock(300), tmp_path, tmp_path)
    assert marks["tests"].state == state
    kept = json.loads((tmp_path / "tests.json").read_text())
    assert kept == {"passed": 1, "failed": 0, "skipped": 1, "failed tests": []}


def test_the_slices_of_the_paper_profile_cover_its_grid(gpu: ModuleType, tmp_path: Path) -> None:
    every = {slice.name: slice for slice in gpu.slices(Profile.read("paper"), tmp_path)}
    assert list(every) == ["tests", "speed", "mnist", "celeba-15k", "table"]
    assert "results/paper/mnist/wae-gan/3/metrics.json" in every["mnist"].command
    assert "tests/training/test_gpu.py" in every["tests"].command


def test_the_paper_profile_has_the_models_of_the_full_reproduction() -> None:
    paper, full = Profile.read("paper").params, Profile.read("").params
    for dataset, original in (("mnist", "mnist"), ("celeba-15k", "celeba")):
        assert set(paper["grid"][dataset]) == set(paper["models"][dataset]) == {"vae", "wae-mmd", "wae-gan"}
        for model, entry in paper["models"][dataset].items():
            assert entry == full["models"][original][model], model
    assert paper["seeds"] == full["seeds"]


# ---- the script ----


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy(tmp_path_factory.mktemp("bench"))
    project.edit("params/smoke/params.yaml", "digits: [wae-mmd, wae-gan]", "digits: [wae-mmd]")
    project.edit("params/smoke/params.yaml", "epochs: 5\n", "epochs: 40\n")
    project.run("wae", "dvc")
    return project


def states(project: Project) -> dict[str, str]:
    kept = json.loads((project.folder / "out" / "slices.json").read_text())
    return {name: mark["state"] for name, mark in kept["slices"].items()}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_data_set_s_rows_stop_at_a_signal_and_go_on_from_the_checkpoint(project: Project) -> None:
    log = project.folder / "logs" / "train" / "results" / "smoke" / "digits" / "wae-mmd" / "1.log"
    environment = project.environment(**SMOKE, OUT="out")
    process = subprocess.Popen(["bench/gpu.sh", "digits"], cwd=project.folder, env=environment)
    deadline = time.monotonic() + 600
    while not (log.exists() and "epoch 2/40" in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(200) == 75
    assert states(project)["digits"] == "stopped"
    assert len(list((project.folder / "scratch/train/results/smoke/digits/wae-mmd/1").glob("*.pt"))) == 1
    assert not (project.folder / "results/smoke/digits/wae-mmd/1/model.safetensors").exists()

    project.run("bench/gpu.sh", "digits", **SMOKE, OUT="out", check=False)
    assert states(project) == {"tests": "new", "speed": "new", "digits": "done", "table": "new"}
    assert "going on from" in log.read_text()
    assert (project.folder / "results/smoke/digits/wae-mmd/1/metrics.json").exists()
    listed = project.run("bench/gpu.sh", "--list", **SMOKE).stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [[name, state] for name, state in states(project).items()]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_slices_in_one_call(tmp_path: Path) -> None:
    project = copy(tmp_path)
    project.run("bench/gpu.sh", **SMOKE, OUT="out")
    kept = {path.name for path in (project.folder / "out").iterdir()}
    assert set(states(project).values()) == {"done"}
    assert {"slices.json", "tests.json", "speed.csv", "table.csv", "table.md", "results.tar.gz"} <= kept
    header, row = (project.folder / "out" / "speed.csv").read_text().splitlines()
    assert header.startswith("model,width,images/s,TFLOP/s,")
    assert row.startswith("wae-mmd,0.03125,")


def test_a_missing_gpu_and_an_unknown_slice_are_one_sentence(project: Project) -> None:
    done = project.run(
        "bench/gpu.sh", BENCH_PROFILE="paper", PYTHON=sys.executable, CUDA_VISIBLE_DEVICES="", check=False
    )
    assert done.returncode == 1
    assert "params/paper/params.yaml asks for cuda" in done.stderr.splitlines()[-1]
    done = project.run("bench/gpu.sh", "minst", **SMOKE, check=False)
    assert done.returncode == 2
    assert "no slice minst; there are tests, speed, digits, table" in done.stderr


def test_wheels_are_installed_without_a_network(project: Project, tmp_path: Path) -> None:
    """A python that has pip and this environment's packages but not `carried` finds it after set-up."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "carried-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carried.py", "SAID = 'carried'\n")
        info = "carried-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: carried\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    venv.create(tmp_path / "python", with_pip=True)
    path = f"{project.folder}:{Path(np.__file__).parent.parent}"
    environment = {"BENCH_PROFILE": "smoke", "PYTHON": str(tmp_path / "python/bin/python"), "WAE_WHEELS": str(wheels)}
    done = project.run("bench/gpu.sh", "--list", **{**environment, "PYTHONPATH": path, "PIP_NO_INDEX": "1"})
    assert "digits" in done.stdout
    assert (project.folder / "scratch/gpu/site/carried.py").exists()


# ---- speed ----


def test_a_paper_size_round_takes_five_and_a_half_gflop_an_image(speed: ModuleType) -> None:
    """Three passes, one forward and two backward, over the multiply-adds of each layer, counted here by hand."""
    encoder = 196 * 16 * 128 + 49 * 16 * 128 * 256 + 16 * 16 * 256 * 512 + 4 * 16 * 512 * 1024 + 4096 * 8
    decoder = 8 * 50176 + 49 * 16 * 1024 * 512 + 196 * 16 * 512 * 256 + 784 * 16 * 256
    images = np.zeros((4, 1, 28, 28), np.uint8)
    counted = speed.operations(speed.built("wae-mmd", 1.0, torch.device("cpu"), images, batch=2))
    assert counted == pytest.approx(3 * 2 * (encoder + decoder), rel=2e-3)
    assert counted * 60000 * 100 == pytest.approx(33e15, rel=0.01)


@pytest.mark.parametrize("model", ["vae", "wae-mmd", "wae-gan"])
def test_every_variant_plays_and_leaves_torch_s_switches_as_they_were(model: str, speed: ModuleType) -> None:
    without, more = speed.variants(torch.device("cuda"), False)
    assert "bfloat16" in more
    assert "TF32 convolutions" in without
    switches = lambda: (
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.benchmark,
        torch.get_float32_matmul_precision(),
    )
    before = switches()
    for change in {**without, **more}.values():
        one = speed.built(model, 1 / 64, torch.device("cpu"), batch=20)
        change(one)
        one.advance()
        assert one.played == 1
        assert one._sums.isfinite().all()
    assert switches() == before
    torch.use_deterministic_algorithms(False)


def test_a_row_that_is_written_is_not_measured_again(speed: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "new" / "speed.csv"
    assert speed.written(file) == speed.written(None) == []
    speed.append(file, {"model": "vae", "width": 1.0, "images/s": 5})
    speed.append(file, {"model": "vae", "width": 0.5, "images/s": 9})
    assert [(of["model"], float(of["width"])) for of in speed.written(file)] == [("vae", 1.0), ("vae", 0.5)]
