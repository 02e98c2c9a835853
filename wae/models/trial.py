"""Whether a model of params can be trained: its first round on torch's device `meta`, with shapes and no values.

No data are needed and nothing is computed, so this takes some milliseconds, whatever the size of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from wae.errors import UserError
from wae.models.autoencoder import Options
from wae.models.compose import assembled, counts
from wae.models.game import Batch, Model

META = torch.device("meta")


class _Shapes(torch.Generator):
    """Stands for a generator on `meta`, where there is none. `_Undrawn` leaves it out of every call."""

    device = META


class _Undrawn(TorchFunctionMode):
    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = {name: value for name, value in (kwargs or {}).items() if not isinstance(value, _Shapes)}
        return function(*args, **given)


def sizes(dataset: Options, model: Options) -> dict[str, int]:
    """Parameter counts of a model's networks and critics, once its first round could be played.

    Args:
        dataset: with the key `shape`.
        model: its entry in params.

    Raises:
        UserError: it cannot be built, or its losses cannot be computed for its batch.
    """
    try:
        with META, _Undrawn():
            built = assembled(dataset, model).train()
            _played(built, dataset["shape"], model["batch"])
        return counts(built)
    except UserError:
        raise
    except Exception as error:  # whatever torch or Python says: a training would end with the same
        said = str(error).strip().partition("\n")[0].rstrip(".")
        raise UserError(f"cannot be trained with these values: {said or type(error).__name__}") from error


def _played(built: Model, shape: list[int], batch: int) -> None:
    """The losses of the pretraining's step and of each turn of a round."""
    images = Batch(torch.empty(batch, *shape), _Shapes())
    played = [(turn, images) for turn in dict.fromkeys(built.turns())]
    if warmup := built.warmup():
        played.append((warmup.player, Batch(torch.empty(warmup.sample, *shape), _Shapes())))
    for player, of in played:
        with suppress(NotImplementedError):  # torch.cov has no kernel for `meta`
            player.loss(of)
