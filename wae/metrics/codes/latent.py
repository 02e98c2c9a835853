"""Distances of an encoder's codes from the prior, each with its value between two samples of the prior itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from wae.divergences import bures_wasserstein, mmd_unbiased, random_directions, sliced_wasserstein

CODES = 2000  # at most, since the MMD takes all pairs
SLICES = 200
FLOORS = 5


class Prior(Protocol):
    """The distribution that codes are compared with."""

    variance: float
    gaussian: ClassVar[bool]

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) draws."""


def distances(variance: float, directions: Tensor) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Functions of codes x (n, d) and a sample of the prior y, by name.

    Of both: MMD^2 (U-statistic, the WAE authors' kernels), SW_2^2 along `directions`, and W_2^2 of the Gaussians with
    their moments. Of x alone: |mean|^2 and the coordinates' mean variance, both divided by the prior's variance, and
    the coordinates' mean fourth standardised moment, 3 for a Gaussian.
    """
    return {
        "latent_mmd": lambda x, y: mmd_unbiased(x, y, prior_variance=variance),
        "latent_sw": lambda x, y: sliced_wasserstein(x, y, directions),
        "latent_bures": lambda x, y: bures_wasserstein(x.mean(0), covariance(x), y.mean(0), covariance(y)),
        "latent_mean": lambda x, y: x.mean(0).square().sum() / variance,
        "latent_variance": lambda x, y: x.var(0).mean() / variance,
        "latent_kurtosis": lambda x, y: kurtosis(x).mean(),
    }


def covariance(x: Tensor) -> Tensor:
    """The unbiased covariance (d, d) of x (n, d); torch's has no dimensions where d is 1."""
    return x.T.cov().view(x.shape[1], x.shape[1])


def kurtosis(x: Tensor) -> Tensor:
    """E (x - m)^4 / (E (x - m)^2)^2 of each column of x (n, d), as (d,); 0 for a constant column."""
    centred = x - x.mean(0)
    scale = centred.square().mean(0)
    return centred.pow(4).mean(0) / scale.square().clamp_min(torch.finfo(x.dtype).tiny)


def against_prior(codes: Tensor, prior: Prior, generator: torch.Generator) -> dict[str, float]:
    """The distances of codes (n, d) from as many draws of the prior, in float64.

    `<name>_floor` is the mean over five pairs of prior samples of the same n. No encoder can be expected to have a
    smaller distance; for moments, it is the prior's own value.
    """

    def drawn() -> Tensor:
        return prior.sample(len(codes), generator).double()

    directions = random_directions(SLICES, codes.shape[1], generator).double()
    draw, pairs = drawn(), [(drawn(), drawn()) for _ in range(FLOORS)]
    values = {}
    for name, distance in distances(prior.variance, directions).items():
        values[name] = distance(codes.double(), draw).item()
        values[f"{name}_floor"] = sum(distance(x, y).item() for x, y in pairs) / FLOORS
    return values
