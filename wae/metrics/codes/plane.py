"""The plane of code space in which codes and prior look least alike."""

from __future__ import annotations

import torch
from torch import Tensor

from wae.divergences import random_directions, steepest

STARTS, STEPS = 64, 50


def least_alike(codes: Tensor, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
    """Orthonormal columns (d, 2): two directions along which codes (n, d) and a prior sample (m, d) differ most.

    The first has the largest W_2 that an ascent finds, the second the largest among directions orthogonal to the first.
    With d = 1 the second is zero. (The WAE authors also plot such a plane, the least Gaussian one.)
    """
    x, y = codes.double(), prior_sample.double()
    directions = random_directions(STARTS, x.shape[1], generator).double()
    first = steepest(x, y, starts=8, steps=STEPS, directions=directions)
    beside = torch.eye(x.shape[1], dtype=x.dtype, device=x.device) - first.T @ first
    second = steepest(x @ beside, y @ beside, starts=8, steps=STEPS, directions=directions) @ beside
    return torch.cat([first, torch.nn.functional.normalize(second)]).T
