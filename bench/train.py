"""Images a second in training, and what each optimisation is worth: the ratio of the speed with it to that without.

    python bench/train.py [--device cuda] [--models wae-mmd] [--widths 0.125 1] [--compile]

Variants of one row play their rounds in turn, so that a busy machine slows all of them alike; times are medians.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from wae.game import Batch, Player
from wae.run import Run
from wae.runtime import limit_threads, start

DATASET = {"shape": [1, 28, 28]}
ADAM = {"kind": "adam", "lr": 1e-3, "betas": [0.5, 0.999], "schedule": {"kind": "constant"}}
COMMON = {
    "kind": "autoencoder",
    "prior": {"kind": "gaussian", "variance": 1.0},
    "pretraining": None,
    "epochs": 1_000_000,
    "batch": 100,
}
WAE = {"posterior": {"kind": "deterministic"}, "cost": {"kind": "l2sq", "factor": 0.05}, "weight": 10.0, "noise": 0.01}
VAE = {"posterior": {"kind": "gaussian"}, "cost": {"kind": "bernoulli"}, "weight": 1.0, "noise": 0.0}
MODELS: dict[str, dict[str, Any]] = {
    "vae": {**COMMON, **VAE, "penalty": {"kind": "kl"}, "optimisers": {"autoencoder": ADAM}},
    "wae-mmd": {
        **COMMON,
        **WAE,
        "penalty": {"kind": "mmd", "scales": [0.1, 0.2, 0.5, 1, 2, 5, 10]},
        "optimisers": {"autoencoder": ADAM},
    },
    "wae-gan": {
        **COMMON,
        **WAE,
        "penalty": {"kind": "adversarial", "layers": 4, "units": 512, "rounds": 1},
        "optimisers": {"autoencoder": ADAM, "latent_critic": ADAM},
    },
}


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
    def draw(indices: torch.Tensor) -> Batch:
        images = [run.images[i].float().div(255) for i in indices.tolist()]
        return Batch(torch.stack(images), run.generator)

    run._draw = draw


def loss_read_every_round(run: Run) -> None:
    play = run._play

    def read(indices: torch.Tensor) -> None:
        play(indices)
        run._sums.tolist()

    run._play = read


def compiled(run: Run) -> None:
    run.model.encoder.compile()
    run.model.decoder.compile()


WITHOUT: dict[str, Callable[[Run], None]] = {
    "channels last": contiguous,
    "fused Adam": adam_by_tensor,
    "shared encoder pass": encoder_by_player,
    "resident batch": image_by_image,
    "losses kept on device": loss_read_every_round,
}


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


def row(model: str, width: float, device: torch.device, rounds: int, compile_too: bool) -> str:
    network = {"kind": "conv", "latent": 8, "filters": [128, 256, 512, 1024], "kernel": 4, "output": "sigmoid"}
    entry = {**MODELS[model], "network": {**network, "width": width}}
    images = np.random.default_rng(0).integers(0, 256, (1000, 1, 28, 28), dtype=np.uint8)
    runs = {}
    for name, change in {"all": lambda run: None, **WITHOUT, **({"compiled": compiled} if compile_too else {})}.items():
        runs[name] = Run(DATASET, entry, images, seed=0, device=device)
        change(runs[name])
    spent = medians(runs, rounds)
    ratios = [f"{spent[name] / spent['all']:22.2f}" for name in WITHOUT]
    if compile_too:
        ratios.append(f"{spent['all'] / spent['compiled']:22.2f}")
    return f"{model:8s} {width:7.4f} {100 / spent['all']:9.0f}" + "".join(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", choices=["cpu", "cuda", "auto"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--widths", nargs="+", type=float, default=[1 / 16, 1 / 8])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--compile", action="store_true", help="also what torch.compile of both networks would be worth"
    )
    options = parser.parse_args()
    limit_threads(options.threads)
    device = start(options.device, options.threads, "bench")
    names = [*WITHOUT, *(["compiled networks"] if options.compile else [])]
    print(f"{'model':8s} {'width':>7s} {'images/s':>9s}" + "".join(f"{name:>22s}" for name in names))
    for model in options.models:
        for width in options.widths:
            print(row(model, width, device, options.rounds, options.compile), flush=True)


if __name__ == "__main__":
    main()
