"""What a trained critic knows about two distributions."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F


def jensen_shannon(logits_x: Tensor, logits_y: Tensor) -> Tensor:
    """Jensen-Shannon divergence in nats from a critic's logits, which are high on x: a lower bound, for diagnosis.

    log 2 + (E_x log D + E_y log(1 - D)) / 2 with D the sigmoid (Goodfellow et al. 2014, theorem 1): equal where the
    logit is log p_x / p_y, log 2 for disjoint supports however near, 0 for a blind critic, negative for a misled one.
    Memory: as many numbers as there are logits.

    Args:
        logits_x: on samples of the one distribution, any shape.
        logits_y: on samples of the other, any shape.
    """
    return math.log(2) - (F.softplus(-logits_x).mean() + F.softplus(logits_y).mean()) / 2
