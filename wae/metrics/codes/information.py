"""What codes say about their images: a posterior that equals the prior says nothing, and is as near to it as can be."""

from __future__ import annotations

import math

import torch
from torch import Tensor

ACTIVE = 0.01  # variance of a unit's means above which it is active, for a prior of variance 1 (Burda et al. 2016)
ROWS = 32  # codes whose density is taken under all posteriors at once


def kl_to_normal(mean: Tensor, log_variance: Tensor, variance: float) -> Tensor:
    """KL(N(mean, exp(log variance)) | N(0, variance I)) in nats, (n,), of diagonal Gaussians (n, d)."""
    log_ratio = log_variance - math.log(variance)
    return (log_ratio.exp() + mean.square() / variance - 1 - log_ratio).sum(1) / 2


def active_units(mean: Tensor, variance: float) -> float:
    """The number of coordinates of posterior means (n, d) that vary with the image (Burda et al. 2016, section 5.2).

    A unit is active if the variance of its means is above 0.01 of `variance`, the prior's.
    """
    return float((mean.var(0) > ACTIVE * variance).sum())


def mutual_information(codes: Tensor, mean: Tensor, log_variance: Tensor) -> float:
    """An estimate of I(x; z) in nats: the mean of log q(z_i|x_i) - log (1/n) sum_j q(z_i|x_j), at most log n.

    It is the part of the mean KL that the distance of the codes from the prior does not make up (Hoffman and Johnson
    2016): mean KL = I + KL(q(z) | prior), q(z) the equal mixture of the n posteriors.

    Args:
        codes: z_i, a draw of each posterior, (n, d).
        mean: (n, d).
        log_variance: (n, d), of diagonal Gaussians.
    """
    codes, mean, log_variance = (part.double() for part in (codes, mean, log_variance))
    own = _log_density(codes, mean, log_variance)
    parts = [codes[at : at + ROWS, None] for at in range(0, len(codes), ROWS)]
    mixed = torch.cat([_log_density(rows, mean, log_variance).logsumexp(1) for rows in parts]) - math.log(len(mean))
    return float((own - mixed).mean())


def _log_density(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log N(z; mean, exp(log variance)) over the last axis, without the constant that all have in common."""
    return -((z - mean).square() * (-log_variance).exp() + log_variance).sum(-1) / 2
