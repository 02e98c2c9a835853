"""Q(Z|X): how the encoder's last layer is read as a distribution over codes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from wae.models.game import Posterior


class Reading(ABC):
    """A function that turns `heads` * d numbers per image into Q(Z|X); `density` says whether that has one."""

    heads: ClassVar[int]
    density: ClassVar[bool]

    @abstractmethod
    def __call__(self, raw: Tensor, generator: torch.Generator) -> Posterior:
        """The posterior of raw (n, heads * d), with one sample of it."""

    def log_variance(self, raw: Tensor) -> Tensor | None:
        """The log variance of each coordinate of the posterior, (n, d); None for a point mass."""
        return raw.chunk(self.heads, dim=1)[1] if self.density else None

    def mean(self, raw: Tensor) -> Tensor:
        """The posterior's mean, (n, d): the first head."""
        return raw.chunk(self.heads, dim=1)[0]


class Deterministic(Reading):
    """A point mass: every image has one code."""

    heads, density = 1, False

    def __call__(self, raw: Tensor, generator: torch.Generator) -> Posterior:
        """The posterior of raw (n, d): its sample is its mean."""
        return Posterior(sample=raw, mean=raw)


class Gaussian(Reading):
    """N(mean, diag(exp(log variance))), sampled as mean + deviation * noise (Kingma and Welling 2014, section 2.4)."""

    heads, density = 2, True

    def __call__(self, raw: Tensor, generator: torch.Generator) -> Posterior:
        """The posterior of raw (n, 2d): means, then log variances."""
        mean, log_variance = raw.chunk(2, dim=1)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        return Posterior(torch.addcmul(mean, (log_variance / 2).exp(), noise), mean, log_variance)


POSTERIORS = {"deterministic": Deterministic, "gaussian": Gaussian}
