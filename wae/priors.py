"""P_Z: the distributions that codes are drawn to and that images are generated from."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from wae.types import Positive


class Prior(nn.Module, ABC):
    """A distribution over codes of `dimension` d; `variance` is that of one coordinate, averaged over coordinates."""

    dimension: int
    variance: float

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""


class Gaussian(Prior):
    """N(0, variance I).

    Args:
        variance: sigma^2 of every coordinate; the WAE paper uses 1 on MNIST, its code 1 on CelebA.
    """

    def __init__(self, dimension: int, *, variance: Positive) -> None:
        super().__init__()
        self.dimension = dimension
        self.variance = variance

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""
        noise = torch.randn(n, self.dimension, generator=generator, device=generator.device)
        return noise.mul_(self.variance**0.5)


PRIORS = {"gaussian": Gaussian}
