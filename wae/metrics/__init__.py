"""Metrics: features -> statistics -> value, in float64."""

from wae.metrics.distances.extrapolated import frechet_infinity
from wae.metrics.distances.frechet import Gaussian, frechet_distance
from wae.metrics.distances.kid import kid
from wae.metrics.distances.manifold import density_coverage, precision_recall, support
from wae.metrics.distances.memory import authenticity
from wae.metrics.distances.swd import laplacian_swd
from wae.metrics.images import quantise, sharpness

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
