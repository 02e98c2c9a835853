"""Maximum mean discrepancy: how far apart the mean embeddings of two samples are under a kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from wae.divergences.blocks import over_rows

# The seven bandwidths that the WAE authors' code sums over; the paper prints one, 1.0.
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

# Kernels of the squared distance r and bandwidth C, a Python number: a tensor would be copied to the device each turn.
KERNELS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "imq": lambda r, c: (1 + r / c).reciprocal(),  # inverse multiquadratics, C / (C + |x - y|^2)
    "rbf": lambda r, c: (r / -c).exp(),  # Gaussian of variance C / 2 a coordinate, exp(-|x - y|^2 / C)
}


def mmd(
    x: Tensor, y: Tensor, kernel: str = "imq", scales: Sequence[float] = SCALES, prior_variance: float = 1.0
) -> Tensor:
    """MMD^2 as WAE-MMD trains on it (Tolstikhin et al. 2018, algorithm 2), summed over `scales`. It can be negative.

    Within-sample sums leave out l = j and are divided by n(n-1); the cross sum keeps all pairs and is divided by nm/2.
    Unbiased where x and y are independent; at x = y it is not zero but negative.
    Memory: 3 n^2 distances and as many kernel values per scale; above LIMIT distances, the backward pass computes
    blocks of rows again.

    Args:
        x: codes, (n, d).
        y: samples of the prior, (m, d); the algorithm has m = n.
        kernel: a name in KERNELS, of bandwidth C = 2 d prior_variance * scale; the prior's mean squared distance is
            2 d prior_variance.
        scales: one or more multiples of that bandwidth.
        prior_variance: sigma^2 of a coordinate of the prior.
    """
    bandwidths = _bandwidths(x, y, scales, prior_variance)
    n, m = len(x), len(y)
    within = _pairs(x, x, kernel, bandwidths, diagonal=False) / (n * (n - 1))
    within_prior = _pairs(y, y, kernel, bandwidths, diagonal=False) / (m * (m - 1))
    return within + within_prior - _pairs(x, y, kernel, bandwidths) * (2 / (n * m))


def mmd_unbiased(
    x: Tensor, y: Tensor, kernel: str = "imq", scales: Sequence[float] = SCALES, prior_variance: float = 1.0
) -> Tensor:
    """MMD^2 as a U-statistic (Gretton et al. 2012, equation 4), summed over `scales`, for reporting. Can be negative.

    Every sum, also the cross sum, leaves out equal indices. So the value is exactly zero at x = y, and x_i may depend
    on y_i. Arguments and memory as in `mmd`, with m = n.

    Raises:
        ValueError: the samples differ in size.
    """
    if len(x) != len(y):
        raise ValueError(f"the U-statistic pairs its samples: expected equal sizes, received {len(x)} and {len(y)}")
    bandwidths = _bandwidths(x, y, scales, prior_variance)
    within = _pairs(x, x, kernel, bandwidths, diagonal=False) + _pairs(y, y, kernel, bandwidths, diagonal=False)
    return (within - 2 * _pairs(x, y, kernel, bandwidths, diagonal=False)) / (len(x) * (len(x) - 1))


def _bandwidths(x: Tensor, y: Tensor, scales: Sequence[float], prior_variance: float) -> list[float]:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ValueError(f"expected samples (n, d) and (m, d) with n, m > 1, received {(*x.shape,)} and {(*y.shape,)}")
    return [2 * x.shape[1] * prior_variance * scale for scale in scales]


def _pairs(x: Tensor, y: Tensor, kernel: str, bandwidths: Sequence[float], diagonal: bool = True) -> Tensor:
    """Sum of the kernel over all pairs and bandwidths; without `diagonal`, over pairs of different index."""
    # |x|^2 + |y|^2 - 2 x.y loses digits far from the origin; a common shift changes no distance and no gradient.
    shift = y.detach().mean(0)
    x, y = x - shift, y - shift

    def block(rows: Tensor, start: int) -> Tensor:
        r = rows.square().sum(1, keepdim=True) + y.square().sum(1) - 2 * rows @ y.T
        values = torch.zeros_like(r)
        for c in bandwidths:
            values += KERNELS[kernel](r, c)
        return values.sum() if diagonal else values.sum() - values.diagonal(start).sum()

    return torch.stack(over_rows(block, x, len(y))).sum()
