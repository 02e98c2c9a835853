"""Measures of single images, and the rounding that every other metric starts from."""

from __future__ import annotations

import torch
from torch import Tensor

GREY = {1: (1.0,), 3: (0.299, 0.587, 0.114)}  # ITU-R 601, by number of channels


def sharpness(images: Tensor) -> Tensor:
    """Population variance (n,) of the 3x3 Laplacian of images (n, c, h, w) in [0, 1] (Tolstikhin et al. 2018, sec. 4).

    Grey by ITU-R 601; kernel [[0, 1, 0], [1, -4, 1], [0, 1, 0]]; valid region only; float64.
    """
    x = torch.as_tensor(images)
    if x.ndim != 4 or x.shape[1] not in GREY or min(x.shape[2:]) < 3:
        raise ValueError(f"images have shape {tuple(x.shape)}; sharpness takes (n, 1 or 3, h >= 3, w >= 3)")
    if not x.is_floating_point():
        raise ValueError(f"images are {x.dtype}; sharpness takes floats in [0, 1]")
    weights = torch.tensor(GREY[x.shape[1]], dtype=torch.float64, device=x.device)
    grey = torch.einsum("nchw,c->nhw", x.double(), weights)
    middle = grey[:, 1:-1, 1:-1]
    across = grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    down = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1]
    return (across + down - 4.0 * middle).var(dim=(1, 2), correction=0)


def quantise(images: Tensor) -> Tensor:
    """Images in [0, 1] as uint8, rounded half to even (truncation would move a Frechet distance by a percent or two).

    Raises:
        ValueError: a value is not finite, or outside [0, 1], e.g. from a tanh model without the conversion.
    """
    x = torch.as_tensor(images)
    if not x.is_floating_point():
        raise ValueError(f"images are {x.dtype}; quantise takes floats in [0, 1]")
    if not ((x >= 0.0) & (x <= 1.0)).all():
        low, high = x.min().item(), x.max().item()
        raise ValueError(f"images range from {low:g} to {high:g}; quantise takes [0, 1]")
    return (x.double() * 255.0).round().to(torch.uint8)
