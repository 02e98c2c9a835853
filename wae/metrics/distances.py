"""What is measured between two samples in the features of a network: everything from features computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from wae.metrics.checks import TooFewError
from wae.metrics.extrapolated import frechet_infinity
from wae.metrics.features import Extractor
from wae.metrics.frechet import frechet_distance
from wae.metrics.kid import kid
from wae.metrics.manifold import support
from wae.metrics.measures import Measure, held_out, protocol

K = 5  # as Naeem et al. 2020; Kynkäänniemi et al. 2019 take 3

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureMetric:
    """One or more numbers from two samples' features.

    Args:
        names: of the numbers, for each extractor that they are measured with.
        between: a function of the features of (generated, real) samples and a generator.
        protocol: the method in words.
    """

    names: Mapping[str, tuple[str, ...]]
    between: Callable[[Rows, Rows, torch.Generator], tuple[float, ...]]
    protocol: str


SUPPORT = ("precision", "recall", "density", "coverage")
METRICS = (
    FeatureMetric(
        {"inception": ("fid",), "classifier": ("fd_classifier",)},
        lambda fake, real, generator: (frechet_distance(fake, real),),
        "frechet",
    ),
    FeatureMetric(
        {"inception": ("fid_infinity",), "classifier": ("fd_infinity_classifier",)},
        lambda fake, real, generator: (frechet_infinity(fake, real, generator),),
        "frechet extrapolated in 1/n from disjoint parts of both samples",
    ),
    FeatureMetric(
        {"inception": ("kid",), "classifier": ("kid_classifier",)},
        lambda fake, real, generator: (kid(fake, real),),
        "U-statistic of the kernel (a.b / d + 1)^3, no subsets",
    ),
    FeatureMetric(
        {name: tuple(f"{metric}_{name}" for metric in SUPPORT) for name in ("inception", "classifier")},
        lambda fake, real, generator: support(real, fake, K),
        f"k={K} nearest others; <= for precision and recall, < for density and coverage",
    ),
)
ALWAYS = ("fid", "fd_classifier")  # reported as empty where their extractor is not asked for


def feature_measures(
    fake: np.ndarray, reference: np.ndarray, extractors: Mapping[str, Extractor], generator: torch.Generator
) -> dict[str, Measure]:
    """Each of `METRICS` between uint8 images in each extractor's features, every extractor run once on each side.

    What cannot be had from so few samples has no value; its protocol says why.
    """
    measures = dict.fromkeys(ALWAYS, Measure())
    for name, extractor in extractors.items():
        features = extractor(fake), extractor(reference)
        grey = "; grey repeated to three channels" if name == "inception" and fake.shape[1] == 1 else ""
        against = f"{extractor.name}; n={len(fake)} vs first {len(reference)} held-out"
        for metric in METRICS:
            how = protocol(f"{metric.protocol}; float64; {against}; round half to even{grey}")
            values: tuple[float | None, ...]
            try:
                values = metric.between(*features, generator)
            except TooFewError as error:
                values, how = (None,) * len(metric.names[name]), f"not computed: {error}; {how}"
            for key, value in zip(metric.names[name], values, strict=True):
                measures[key] = Measure(value, len(fake), held_out(reference), extractor.sha256, how)
    return measures
