"""One training run: it draws batches, plays rounds and sums losses; its state can be saved between rounds."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from wae.errors import UserError
from wae.models.compose import build
from wae.models.game import Batch, Warmup, draws, play
from wae.runtime import generator
from wae.training.divergence import decomposed, finite, verify
from wae.training.hasten import hasten
from wae.training.optim import optimiser, prepare, schedule


class Run:
    """A training run between two rounds. `advance` plays one round; `done` is true when none is left.

    All random numbers of the game come from one generator; the order of the images comes from (seed, epoch), in the
    warm-up from (seed, step). `state_dict` has everything that the rest of the run depends on.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any],
        entry: Mapping[str, Any],
        images: np.ndarray,
        *,
        seed: int,
        device: torch.device | str,
    ) -> None:
        self.dataset, self.entry, self.seed, self.device = dataset, entry, seed, torch.device(device)
        self.images = resident(images, dataset["shape"], self.device)
        self.model = build(dataset, entry, generator("cpu", seed, "weights"))
        self.model.to(device=self.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        hasten(self.model.networks().values(), **{key: entry[key] for key in ("precision", "compile") if key in entry})
        self.turns = self.model.turns()
        self.constants = self.model.constants()
        self.optimisers, self.schedules = prepare(entry["optimisers"], self.turns)
        self.annealing = schedule(entry.get("annealing") or {"kind": "constant"})
        self.generator = generator(self.device, seed, "training")
        self.epochs: int = entry["epochs"]
        self.batch: int = entry["batch"]
        self.draws = draws(self.turns)
        self.rounds: int = len(images) // (self.draws * self.batch)
        if not self.rounds:
            raise UserError(f"a round takes {self.draws} x {self.batch} images, and there are only {len(images)}")
        self.history: list[dict[str, float]] = []
        self._round = 0
        self._order: Tensor | None = None
        self._names: list[str] = []
        self._sums = torch.zeros(0, dtype=torch.float64, device=self.device)
        self._warming = self._warmer(self.model.warmup())
        if self._warming and self._warming[0].sample > len(images):
            raise UserError(f"pretraining.sample is {self._warming[0].sample}, and there are only {len(images)} images")
        self._warmed = 0

    # ---- progress and result ----

    @property
    def played(self) -> int:
        """Rounds played so far, without the warm-up's steps."""
        return len(self.history) * self.rounds + self._round

    @property
    def total(self) -> int:
        """Rounds of the whole run."""
        return self.epochs * self.rounds

    @property
    def done(self) -> bool:
        """Whether no round is left. A run of 0 epochs is done at once, without a warm-up."""
        return self.played == self.total

    def weights(self) -> dict[str, Tensor]:
        """The model's state, on the CPU."""
        return {name: value.detach().cpu().contiguous() for name, value in self.model.state_dict().items()}

    def verify(self) -> None:
        """Check the trained model by one round without steps, with random numbers of its own.

        Raises:
            Diverged: a weight, a loss or a pixel of a generated image is not finite.
        """
        used = self._permutation("verification")[: self.draws * self.batch].view(self.draws, self.batch)
        verify(self.model, self._draw(used, generator(self.device, self.seed, "verification")))

    def basis(self, images: np.ndarray) -> dict[str, Any]:
        """All inputs that the bytes of the run depend on, and the release of torch; of the images, a SHA-256."""
        digest = hashlib.sha256(repr(images.shape).encode())
        digest.update(np.ascontiguousarray(images).data)
        threads = torch.get_num_threads() if self.device.type == "cpu" else 0
        settings = {"seed": self.seed, "device": self.device.type, "threads": threads, "torch": torch.__version__}
        return {"dataset": self.dataset, "model": self.entry, **settings, "images": digest.hexdigest()}

    @property
    def position(self) -> dict[str, int]:
        """The whole run's `epochs` and the `rounds` of each; how many, as `epoch` and `round`, are done."""
        return {"epoch": len(self.history), "epochs": self.epochs, "round": self._round, "rounds": self.rounds}

    def alike(self, epochs: int, begun: int) -> bool:
        """Whether a run of `epochs` epochs has this one's learning rates and lambda in its first `begun` epochs."""
        return all(
            schedule(epoch, epochs) == schedule(epoch, self.epochs)
            for schedule in (*self.schedules.values(), self.annealing)
            for epoch in range(begun)
        )

    # ---- forward ----

    def advance(self) -> None:
        """Play one round, or take one step of the warm-up, which comes before all rounds.

        Raises:
            Diverged: the epoch or the warm-up step has ended and one of its terms is not finite.
        """
        if self._warming:
            with decomposed("the pretraining"):
                self._warm_up(*self._warming)
            return
        if self._order is None:
            self._order = self._open_epoch()
        with decomposed(f"epoch {len(self.history) + 1}"):
            self._play(self._order[self._round])
        self._round += 1
        if self._round == self.rounds:
            self._close_epoch()

    def _play(self, indices: Tensor) -> None:
        # Everything stays on the device, with static shapes; the losses are read once per epoch.
        scalars = play(self.turns, self.optimisers, self._draw(indices, self.generator))
        values = torch.stack([value for terms in scalars for value in terms.values()])
        if not self._names:
            self._names = [f"{turn.name}.{term}" for turn, terms in zip(self.turns, scalars) for term in terms]
            self._sums = torch.zeros_like(values, dtype=torch.float64)
        self._sums.add_(values)

    def _draw(self, indices: Tensor, generator: torch.Generator) -> list[Batch]:
        """The batches of the rows of `indices` (k, n)."""
        return [self._batch(row, generator) for row in indices]

    def _batch(self, indices: Tensor, generator: torch.Generator) -> Batch:
        images = self.images[indices]
        if images.device != self.device:
            images = images.pin_memory().to(self.device, non_blocking=True)
        images = images.to(torch.float32, memory_format=torch.channels_last)
        return Batch(images.div_(255), generator)

    def _permutation(self, *purpose: object) -> Tensor:
        order = torch.randperm(len(self.images), generator=generator("cpu", self.seed, *purpose))
        return order.to(self.images.device)

    def _open_epoch(self) -> Tensor:
        epoch = len(self.history)
        self.model.anneal(self.annealing(epoch, self.epochs))
        for name, factor in self.schedules.items():
            for group in self.optimisers[name].param_groups:
                group["lr"] = self.entry["optimisers"][name]["lr"] * factor(epoch, self.epochs)
        # Images that do not fill a round are left out, others in each epoch, so that shapes are static.
        used = self._permutation("epoch", epoch)[: self.rounds * self.draws * self.batch]
        return used.view(self.rounds, self.draws, self.batch)

    def _close_epoch(self) -> None:
        epoch = len(self.history) + 1
        terms: dict[str, list[float]] = {}
        for name, value in zip(self._names, (self._sums / self.rounds).tolist()):
            terms.setdefault(name, []).append(value)  # a player may have several turns in a round
        means = {name: sum(of) / len(of) for name, of in terms.items()}
        finite(means, f"epoch {epoch}")
        rates = {f"{name}.lr": of.param_groups[0]["lr"] for name, of in self.optimisers.items()}
        self.history.append({"epoch": epoch, **means, **rates, **self.model.constants()})
        self._round, self._order = 0, None
        self._sums.zero_()

    def _warmer(self, warmup: Warmup | None) -> tuple[Warmup, Optimizer] | None:
        if warmup is None:
            return None
        return warmup, optimiser(self.entry["optimisers"][warmup.player.name], warmup.player)

    def _warm_up(self, warmup: Warmup, optimiser: Optimizer) -> None:
        player = warmup.player
        indices = self._permutation("warmup", self._warmed)[: warmup.sample]
        [terms] = play((player,), {player.name: optimiser}, self._draw(indices[None], self.generator))
        self._warmed += 1
        # This waits for the device, since the loss decides when to stop: at most `steps` times per run.
        losses = {f"{player.name}.{name}": value.item() for name, value in terms.items()}
        finite(losses, f"step {self._warmed} of the pretraining")
        if sum(losses.values()) < warmup.tolerance or self._warmed >= warmup.steps:
            self._warming = None

    # ---- saving and loading ----

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on: tensors, numbers, strings, lists and dictionaries."""
        return {
            "model": self.model.state_dict(),
            "optimisers": {name: of.state_dict() for name, of in self.optimisers.items()},
            "warmup": {"steps": self._warmed, "optimiser": self._warming[1].state_dict()} if self._warming else None,
            "generator": self.generator.get_state(),
            "history": self.history,
            "round": self._round,
            "names": self._names,
            "sums": self._sums,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state`, which a run with the same arguments returned."""
        self.model.load_state_dict(state["model"])
        for name, of in self.optimisers.items():
            of.load_state_dict(state["optimisers"][name])
        if self._warming and state["warmup"]:
            self._warmed = state["warmup"]["steps"]
            self._warming[1].load_state_dict(state["warmup"]["optimiser"])
        else:
            self._warming = None
        self.generator.set_state(state["generator"])
        self.history, self._round, self._names = state["history"], state["round"], state["names"]
        self._sums = state["sums"].to(self.device)
        self._order = None


def resident(images: np.ndarray, shape: Sequence[int], device: torch.device) -> Tensor:
    """The whole data set as one uint8 tensor on the device, or on the CPU where it does not fit.

    On the CPU it shares the memory of the array, which may be memory-mapped.

    Raises:
        ValueError: the array is not uint8, (N, *shape).
    """
    if images.dtype != np.uint8 or images.shape[1:] != tuple(shape):
        raise ValueError(f"images are {images.dtype} {images.shape}; expected uint8 (N, {', '.join(map(str, shape))})")
    with warnings.catch_warnings():
        # A mapped file is read-only, and torch warns against writing to it; no code here does.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        tensor = torch.from_numpy(images)
    return tensor.to(device) if fits(images.nbytes, device) else tensor


def fits(size: int, device: torch.device) -> bool:
    """Whether a GPU has room for `size` bytes and as many again for training; true on the CPU, which copies nothing."""
    return device.type != "cuda" or 2 * size <= torch.cuda.mem_get_info(device)[0]
