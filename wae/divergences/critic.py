"""Divergences of two distributions, estimated by a trained critic."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F


def jensen_shannon(logits_x: Tensor, logits_y: Tensor) -> Tensor:
    """Jensen-Shannon divergence in nats from a critic's logits, which are high on x: a lower bound, for diagnosis.

    It is log 2 + (E_x log D + E_y log(1 - D)) / 2, D the sigmoid of the logit (Goodfellow et al. 2014, theorem 1). The
    bound is exact if the logit is log p_x / p_y; it is then log 2 for disjoint supports, however near. It is 0 for a
    critic that ignores its input and negative for one that is misled.
    Memory: as many numbers as there are logits.

    Args:
        logits_x: on samples of the one distribution, any shape.
        logits_y: on samples of the other, any shape.
    """
    return math.log(2) - (F.softplus(-logits_x).mean() + F.softplus(logits_y).mean()) / 2
