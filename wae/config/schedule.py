"""From which epoch a step of a learning-rate schedule holds."""

from __future__ import annotations

import math


def first_epoch(start: float, epochs: int) -> int:
    """The first epoch, counted from 0, that begins at or after the fraction `start` of a run of `epochs` epochs.

    It is `epochs`, which no epoch is, where the last epoch begins earlier: 0.95 of 10 epochs.
    """
    # 0.07 * 100 is 7.000000000000001: rounding must not delay a step by an epoch.
    return math.ceil(start * epochs - 1e-9)
