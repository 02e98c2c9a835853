"""Distances between distributions, estimated from samples: tensors in, a 0-d tensor out.

Samples are (n, d), one per row, float32 or float64, on any device. Random numbers come only from generators that are
arguments; no file is read or written. On a CPU, NumPy sorts the slices, so `torch.func` does not work there. An ascent
needs gradients, so it does not work under `torch.inference_mode`.
"""

from wae.divergences.ascent import (
    ascend,
    leading_directions,
    max_generalized_sliced_wasserstein,
    max_sliced_wasserstein,
    steepest,
)
from wae.divergences.critic import jensen_shannon
from wae.divergences.entropic import sinkhorn_divergence
from wae.divergences.gaussian import bures_to_prior, bures_wasserstein
from wae.divergences.kernel import KERNELS, SCALES, mmd, mmd_unbiased
from wae.divergences.projections import DEFINING, Circular, Defining, Linear, Neural, Polynomial
from wae.divergences.sliced import (
    generalized_sliced_wasserstein,
    random_directions,
    sliced_wasserstein,
    slices,
    wasserstein_1d,
)

__all__ = [
    "DEFINING",
    "KERNELS",
    "SCALES",
    "Circular",
    "Defining",
    "Linear",
    "Neural",
    "Polynomial",
    "ascend",
    "bures_to_prior",
    "bures_wasserstein",
    "generalized_sliced_wasserstein",
    "jensen_shannon",
    "leading_directions",
    "max_generalized_sliced_wasserstein",
    "max_sliced_wasserstein",
    "mmd",
    "mmd_unbiased",
    "random_directions",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "slices",
    "steepest",
    "wasserstein_1d",
]
