"""Paths between two codes."""

from __future__ import annotations

import torch
from torch import Tensor


def linear(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """(1 - t) a + t b; a, b (..., d), t broadcast against them."""
    return torch.lerp(a, b, t)


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Along the great circle (Shoemake 1985): [sin((1 - t) w) a + sin(t w) b] / sin w, w the angle between a and b.

    It is `linear` where a and b have the same or opposite directions (then the circle is not unique), or one is 0.
    """
    cosine = torch.cosine_similarity(a, b, dim=-1).clamp(-1, 1)[..., None]
    angle = cosine.arccos()
    sine = angle.sin()
    straight = (sine < 1e-4) | (a.norm(dim=-1) * b.norm(dim=-1) == 0)[..., None]
    safe = torch.where(straight, 1.0, sine)
    round_ = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / safe
    return torch.where(straight, linear(a, b, t.expand_as(round_)), round_)


PATHS = {"linear": linear, "spherical": spherical}
