"""c(x, x'): reconstruction costs and likelihoods, as functions (output, raw, x) -> (n,), summed over pixels.

`raw` is the decoder's output before its activation; x is in [0, 1]. Squares and absolute differences are measured
in the network's own range: for a tanh network that is [-1, 1], as in the WAE authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from wae.config.types import Positive
from wae.models.pixels import Output


@dataclass(frozen=True)
class Cost:
    """A cost (output, raw, x) -> (n,), `factor` times a plain sum over pixels; papers print lambda as weight / factor.

    Args:
        factor: number that multiplies the plain sum.
        of: the cost, the factor included.
    """

    factor: float
    of: Callable[[Output, Tensor, Tensor], Tensor]

    def __call__(self, output: Output, raw: Tensor, x: Tensor) -> Tensor:
        """The cost of each image, (n,)."""
        return self.of(output, raw, x)


def _difference(output: Output, raw: Tensor, x: Tensor) -> Tensor:
    return (output.activate(raw) - output.scale(x)).flatten(1)


def l2sq(*, factor: Positive) -> Cost:
    """factor * sum over pixels of (x - x')^2.

    Args:
        factor: 0.05 in the WAE authors' code, 1 in the paper's algorithms.
    """
    return Cost(factor, lambda output, raw, x: factor * _difference(output, raw, x).square().sum(1))


def l2(*, factor: Positive) -> Cost:
    """factor * sqrt(1e-8 + sum over pixels of (x - x')^2); the 1e-8 keeps the gradient finite at x = x'.

    Args:
        factor: 0.2 in the WAE authors' code.
    """
    return Cost(factor, lambda output, raw, x: factor * (_difference(output, raw, x).square().sum(1) + 1e-8).sqrt())


def l1(*, factor: Positive) -> Cost:
    """factor * sum over pixels of |x - x'|.

    Args:
        factor: 0.02 in the WAE authors' code.
    """
    return Cost(factor, lambda output, raw, x: factor * _difference(output, raw, x).abs().sum(1))


def bernoulli() -> Cost:
    """-log p(x|z) in nats for Bernoulli pixels: the cross entropy of x in [0, 1] and the decoder's logits."""

    def cost(output: Output, raw: Tensor, x: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(output.logits(raw), x, reduction="none").flatten(1).sum(1)

    return Cost(1.0, cost)


def gaussian(*, variance: Positive) -> Cost:
    """-log p(x|z) for p = N(x', variance I), in nats, its normalising constant included.

    Args:
        variance: variance of a pixel, in squared units of the network's range; 10 equals l2sq's factor 0.05.
    """
    constant = math.log(2 * math.pi * variance) / 2

    def cost(output: Output, raw: Tensor, x: Tensor) -> Tensor:
        difference = _difference(output, raw, x)
        return difference.square().sum(1) / (2 * variance) + constant * difference.shape[1]

    return Cost(1 / (2 * variance), cost)


COSTS = {"l2sq": l2sq, "l2": l2, "l1": l1, "bernoulli": bernoulli, "gaussian": gaussian}
