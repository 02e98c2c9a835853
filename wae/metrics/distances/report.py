"""Measurements between two samples in the features of a network; all use the same features, computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray

from wae.metrics.checks import TooFewError
from wae.metrics.distances.extrapolated import frechet_infinity
from wae.metrics.distances.frechet import frechet_distance
from wae.metrics.distances.kid import kid
from wae.metrics.distances.manifold import support
from wae.metrics.distances.memory import authenticity, let_go
from wae.metrics.features.extractors import Extractor
from wae.metrics.measures import Measure, held_out, protocol

TRAINING = 10_000  # training images that authenticity is measured against, at most
K = 5  # as Naeem et al. 2020; Kynkäänniemi et al. 2019 take 3

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureMetric:
    """One or more numbers from two samples' features.

    Args:
        names: extractor -> names of its numbers.
        between: a function of the features of (generated, real) samples and a generator.
        protocol: the method in words.
    """

    names: Mapping[str, tuple[str, ...]]
    between: Callable[[Rows, Rows, torch.Generator], tuple[float, ...]]
    protocol: str


SUPPORT = ("precision", "recall", "density", "coverage")
FRECHET = (
    FeatureMetric(
        {"inception": ("fid",), "classifier": ("fd_classifier",)},
        lambda fake, real, generator: (frechet_distance(fake, real),),
        "frechet",
    ),
)
METRICS = (
    *FRECHET,
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


@dataclass(frozen=True)
class Samples:
    """Two samples of uint8 images (n, c, h, w), and their features, computed once for all metrics."""

    fake: np.ndarray
    real: np.ndarray
    extractors: Mapping[str, Extractor]
    of_real: Mapping[str, Rows] = field(default_factory=dict)

    @cached_property
    def features(self) -> dict[str, tuple[Rows, Rows]]:
        """Extractor -> features of (fake, real) images."""
        return {
            name: (extractor(self.fake), self.of_real[name] if name in self.of_real else extractor(self.real))
            for name, extractor in self.extractors.items()
        }

    def instead(self, fake: np.ndarray) -> Samples:
        """Other generated images against the same real ones, whose features are kept."""
        return replace(self, fake=fake, of_real={name: real for name, (_, real) in self.features.items()})


def feature_measures(
    samples: Samples, generator: torch.Generator, metrics: Sequence[FeatureMetric] = METRICS
) -> dict[str, Measure]:
    """Each of `metrics` in each extractor's features; the real images are the first held-out ones.

    A metric that needs more samples has no value; its protocol says why.
    """
    measures, n, real = dict.fromkeys(ALWAYS, Measure()), len(samples.fake), samples.real
    for name, features in samples.features.items():
        extractor = samples.extractors[name]
        against = f"{described(name, extractor, samples.fake)}; n={n} vs first {len(real)} held-out"
        for metric in metrics:
            how = protocol(f"{metric.protocol}; float64; {against}; round half to even")
            values: tuple[float | None, ...]
            try:
                values = metric.between(*features, generator)
            except TooFewError as error:
                values, how = (None,) * len(metric.names[name]), f"not computed: {error}; {how}"
            for key, value in zip(metric.names[name], values, strict=True):
                measures[key] = Measure(value, n, held_out(real), extractor.sha256, how)
    return measures


@dataclass(frozen=True)
class Training:
    """The training images among which copies are searched: at most `TRAINING`, spread evenly over all `of`.

    Args:
        features: extractor -> features of these images.
    """

    features: Mapping[str, Rows]
    of: int

    @classmethod
    def read(cls, images: np.ndarray, extractors: Mapping[str, Extractor]) -> Training:
        """Their features, computed once for all samplings; `images` uint8 (n, c, h, w) may be memory-mapped."""
        rows = np.linspace(0, len(images) - 1, min(len(images), TRAINING)).round().astype(int)
        features = {name: extractor(images[rows]) for name, extractor in extractors.items()}
        let_go(images)
        return cls(features, len(images))


def memory_measures(samples: Samples, training: Training, *, of_real: bool) -> dict[str, Measure]:
    """`authenticity_<extractor>` of the fake images, or of the real ones."""
    measures = {}
    for name, pair in samples.features.items():
        extractor, known, images = samples.extractors[name], training.features[name], pair[int(of_real)]
        how = f"AuthPct against {len(known)} of {training.of} training images; float64"
        how = protocol(f"{how}; {described(name, extractor, samples.fake)}; n={len(images)}; round half to even")
        against = f"{len(known)} training images"
        value = authenticity(known, images)
        measures[f"authenticity_{name}"] = Measure(value, len(images), against, extractor.sha256, how)
    return measures


def described(name: str, extractor: Extractor, images: np.ndarray) -> str:
    """The network and the preprocessing of an image, in words."""
    if name != "inception":
        return f"{extractor.dim} float32 features of {extractor.name}, no resize"
    grey = "grey repeated to three channels, " if images.shape[1] == 1 else ""
    resize = f"TensorFlow 1's bilinear resize to 299x299 (torch-fidelity {version('torch-fidelity')})"
    return f"{extractor.dim} float32 features of {extractor.name}, {grey}{resize}"
