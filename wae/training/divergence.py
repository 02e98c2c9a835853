"""Whether a run diverged: its losses, its weights and what it generates must be finite."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from wae.errors import UserError
from wae.models.game import Batch, Model

REMEDY = "a smaller learning rate or weight is the usual remedy"


class Diverged(UserError):
    """A loss, a weight or a pixel is not finite: the message says when, and names it."""


def finite(terms: Mapping[str, float], where: str) -> None:
    """Check that every term is finite.

    Raises:
        Diverged: one is not.
    """
    _none([f"{name} is {value}" for name, value in terms.items() if not math.isfinite(value)], where)


def finite_weights(state: Mapping[str, Tensor], where: str) -> None:
    """Check that all numbers of a state are finite.

    Raises:
        Diverged: one is not.
    """
    counts = {name: int((~value.isfinite()).sum()) for name, value in state.items()}
    bad = [(name, count) for name, count in counts.items() if count]
    told = [f"{name} has {count} of {state[name].numel()} numbers that are not finite" for name, count in bad[:3]]
    _none([*told, f"{len(bad) - 3} more tensors"] if len(bad) > 3 else told, where)


@contextmanager
def decomposed(where: str) -> Iterator[None]:
    """Tell a matrix decomposition that fails, as LAPACK's do at NaN, as a divergence.

    Raises:
        Diverged: one failed.
    """
    try:
        yield
    except torch.linalg.LinAlgError as error:
        raise Diverged(f"{where}: {str(error).rstrip('.')}; {REMEDY}") from error


def verify(model: Model, batches: Sequence[Batch]) -> None:
    """Check a trained model as it will be used: in evaluation mode, uncompiled. It is in training mode afterwards.

    The mean losses of an epoch do not see what its last step did, since a loss is computed before its step.

    Args:
        batches: one for each turn of a fresh player, then one that all others share. Their generators are used.

    Raises:
        Diverged: a weight, a loss or a pixel of a generated image is not finite.
    """
    where = "after the last step"
    finite_weights(model.state_dict(), where)
    model.eval()
    own, shared = iter(batches), batches[-1]
    with torch.compiler.set_stance("force_eager"), decomposed(where):  # type: ignore[no-untyped-call]
        for turn in model.turns():
            terms = turn.loss(next(own) if turn.fresh else shared)
            finite({f"{turn.name}.{name}": value.item() for name, value in terms.items()}, where)
        with torch.no_grad():
            images = model.generate(len(shared), shared.generator)
    finite({"the mean pixel of generated images": images.double().mean().item()}, where)
    model.train()


def _none(bad: Sequence[str], where: str) -> None:
    if bad:
        raise Diverged(f"{where}: {', '.join(bad)}; {REMEDY}")
