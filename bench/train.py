"""Images a second in training, and what each optimisation is worth: the ratio of the speed with it to that without.

    python bench/train.py [--device cuda] [--models wae-mmd] [--widths 0.125 1] [--compile] [--csv FILE]

A column of what training has: above 1, training without it is slower. One of what it might have, after `+`: above 1,
training with it would be faster. Variants of one row play their rounds in turn, so that a busy machine slows all of
them alike; times are medians. With --csv, a row that the file already has is not measured again.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from wae.models.game import Batch, Player
from wae.pipeline.profile import Profile
from wae.runtime import limit_threads, start
from wae.training.hasten import hasten
from wae.training.run import Run

DATASET = {"shape": [1, 28, 28]}
MODELS = ["vae", "wae-mmd", "wae-gan"]


# ---- training without one optimisation --------------------------------------


def contiguous(run: Run) -> None:
    run.model.to(memory_format=torch.contiguous_format)


def adam_by_tensor(run: Run) -> None:
    for player in run.turns:
        run.optimisers[player.name] = torch.optim.Adam(player.params, lr=1e-3, betas=(0.5, 0.999), foreach=False)


def encoder_by_player(run: Run) -> None:
    def alone(player: Player) -> Player:
        return dataclasses.replace(player, loss=lambda batch: player.loss(Batch(batch.x, batch.generator)))

    run.turns = tuple(map(alone, run.turns))


def image_by_image(run: Run) -> None:
    def draw(indices: torch.Tensor, generator: torch.Generator) -> Batch:
        images = [run.images[i].float().div(255) for i in indices.tolist()]
        return Batch(torch.stack(images), generator)

    run._batch = draw


def loss_read_every_round(run: Run) -> None:
    play = run._play

    def read(indices: torch.Tensor) -> None:
        play(indices)
        run._sums.tolist()

    run._play = read


def inside(run: Run, context: Callable[[], AbstractContextManager[Any]]) -> None:
    """Let every round of a run be played in a context."""
    advance = run.advance

    def within() -> None:
        with context():
            advance()

    run.advance = within


@contextmanager
def flag(backend: Any, name: str, value: bool) -> Any:
    """One of torch's switches, for as long as the context lasts."""
    before = getattr(backend, name)
    setattr(backend, name, value)
    try:
        yield
    finally:
        setattr(backend, name, before)


def without_tf32(run: Run) -> None:
    inside(run, lambda: flag(torch.backends.cudnn, "allow_tf32", False))


# ---- training with one more --------------------------------------------------


def compiled(run: Run) -> None:
    hasten(run.model.networks().values(), compile=True)


def tf32_products(run: Run) -> None:
    inside(run, lambda: flag(torch.backends.cuda.matmul, "allow_tf32", True))


def bfloat16(run: Run) -> None:
    hasten(run.model.networks().values(), precision="bfloat16")


@contextmanager
def undetermined() -> Any:
    torch.use_deterministic_algorithms(False)
    try:
        with flag(torch.backends.cudnn, "benchmark", True), flag(torch.backends.cudnn, "deterministic", False):
            yield
    finally:
        torch.use_deterministic_algorithms(True)


def any_algorithm(run: Run) -> None:
    inside(run, undetermined)


Changes = dict[str, Callable[[Run], None]]
WITHOUT: Changes = {
    "channels last": contiguous,
    "fused Adam": adam_by_tensor,
    "shared encoder pass": encoder_by_player,
    "resident batch": image_by_image,
    "losses kept on device": loss_read_every_round,
}
WITHOUT_ON_GPU: Changes = {"TF32 convolutions": without_tf32}
WITH_ON_GPU: Changes = {"TF32 products": tf32_products, "bfloat16": bfloat16, "any algorithm": any_algorithm}


def variants(device: torch.device, compile_too: bool) -> tuple[Changes, Changes]:
    """What training can go without, and what it might have, on a device."""
    gpu = device.type == "cuda"
    more = {"compiled networks": compiled} if compile_too else {}
    return {**WITHOUT, **(WITHOUT_ON_GPU if gpu else {})}, {**(WITH_ON_GPU if gpu else {}), **more}


# ---- measuring ---------------------------------------------------------------


def seconds(run: Run) -> float:
    synchronise = torch.cuda.synchronize if run.device.type == "cuda" else (lambda: None)
    synchronise()
    began = time.perf_counter()
    run.advance()
    synchronise()
    return time.perf_counter() - began


def medians(runs: dict[str, Run], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in runs}
    for played in range(rounds + 2):
        for name, run in runs.items():
            spent = seconds(run)
            if played >= 2:  # the first rounds allocate
                times[name].append(spent)
    return {name: statistics.median(of) for name, of in times.items()}


def operations(run: Run) -> float:
    """Floating-point operations an image of one round, forward and backward: convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        run.advance()
    return counter.get_total_flops() / run.batch


def built(model: str, width: float, device: torch.device, images: np.ndarray | None = None, batch: int = 100) -> Run:
    """The full reproduction's model for MNIST at some width, about to play its first round on random images."""
    entry = Profile.read("").params["models"]["mnist"][model]
    network = {**entry["network"], "width": width}
    entry = {**entry, "network": network, "pretraining": None, "batch": batch, "epochs": 1_000_000}
    if images is None:
        images = np.random.default_rng(0).integers(0, 256, (1000, 1, 28, 28), dtype=np.uint8)
    return Run(DATASET, entry, images, seed=0, device=device)


def row(model: str, width: float, device: torch.device, rounds: int, compile_too: bool) -> dict[str, Any]:
    """One row of the table: images a second, TFLOP a second, and a ratio for each variant."""
    without, more = variants(device, compile_too)
    runs = {}
    for name, change in {"all": lambda run: None, **without, **more}.items():
        runs[name] = built(model, width, device)
        change(runs[name])
    spent = medians(runs, rounds)
    rate = runs["all"].batch / spent["all"]
    return {
        "model": model,
        "width": width,
        "images/s": round(rate, 1),
        "TFLOP/s": round(rate * operations(built(model, width, device)) / 1e12, 3),
        **{name: round(spent[name] / spent["all"], 3) for name in without},
        **{f"+ {name}": round(spent["all"] / spent[name], 3) for name in more},
    }


def written(file: Path | None) -> list[dict[str, str]]:
    """The rows that a file already has."""
    if file is None or not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def append(file: Path, found: dict[str, Any]) -> None:
    new = not file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(found), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", choices=["cpu", "cuda", "auto"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--widths", nargs="+", type=float, default=[1 / 16, 1 / 8])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--compile", action="store_true", help="also torch.compile of both networks")
    parser.add_argument("--csv", type=Path, help="append the rows to this file")
    options = parser.parse_args()
    limit_threads(options.threads)
    device = start(options.device, options.threads, "bench")
    have = {(of["model"], float(of["width"])) for of in written(options.csv)}
    for model in options.models:
        for width in options.widths:
            if (model, width) in have:
                continue
            found = row(model, width, device, options.rounds, options.compile)
            if options.csv:
                append(options.csv, found)
            print("  ".join(f"{name} {value}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
