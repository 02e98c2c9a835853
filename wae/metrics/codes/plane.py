"""The plane of code space in which codes and prior look least alike."""

from __future__ import annotations

import torch
from torch import Tensor

from wae.divergences import random_directions, steepest

STARTS, STEPS = 64, 50


def least_alike(codes: Tensor, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
    """(d, 2) orthonormal: the direction of the largest W_2 between codes (n, d) and a sample of the prior (m, d) that
    an ascent finds, and of those at right angles to it again the largest. With d = 1 the second is zero.

    (The WAE authors plot such a plane too, the least Gaussian one.)
    """
    x, y = codes.double(), prior_sample.double()
    directions = random_directions(STARTS, x.shape[1], generator).double()
    first = steepest(x, y, starts=8, steps=STEPS, directions=directions)
    beside = torch.eye(x.shape[1], dtype=x.dtype, device=x.device) - first.T @ first
    second = steepest(x @ beside, y @ beside, starts=8, steps=STEPS, directions=directions) @ beside
    return torch.cat([first, torch.nn.functional.normalize(second)]).T
