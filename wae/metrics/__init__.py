"""Metrics: features -> statistics -> value, in float64."""

from wae.metrics.extrapolated import frechet_infinity
from wae.metrics.frechet import Gaussian, frechet_distance
from wae.metrics.images import quantise, sharpness
from wae.metrics.kid import kid
from wae.metrics.manifold import density_coverage, precision_recall, support
from wae.metrics.memory import authenticity
from wae.metrics.swd import laplacian_swd

__all__ = [
    "Gaussian",
    "authenticity",
    "density_coverage",
    "frechet_distance",
    "frechet_infinity",
    "kid",
    "laplacian_swd",
    "precision_recall",
    "quantise",
    "sharpness",
    "support",
]
