"""Whether a sample was learnt or copied: generated images beside the training images they are nearest to."""

from __future__ import annotations

import numpy as np

from wae.metrics.checks import Features, pair
from wae.metrics.neighbours import nearest


def authenticity(training: Features, fake: Features) -> float:
    """Share of fake samples that are authentic (Alaa et al. 2022, section 3.3; "AuthPct").

    A sample is not if it is nearer to its nearest training sample than that one is to any other training sample: a
    copy, or a copy with some noise. Samples far from all data are authentic too, so that more is not always better:
    unseen real samples say what is usual.
    """
    x, y = pair(training, fake)
    sources, distances = nearest(y, x, 1)
    copied, inverse = np.unique(sources[:, 0], return_inverse=True)
    # A training sample's two nearest are itself, at exactly 0, and the nearest other; both at 0 if it stands twice.
    room = nearest(x[copied], x, 2)[1].max(axis=1)
    return float((distances[:, 0] > room[inverse]).mean())
