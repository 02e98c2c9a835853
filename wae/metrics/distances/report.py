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
from wae.metrics.draws import Images
from wae.metrics.features.extractors import Extractor
from wae.metrics.measures import Measure, counted, held_out, protocol

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
        equal: whether it takes as many generated as real samples.
    """

    names: Mapping[str, tuple[str, ...]]
    between: Callable[[Rows, Rows, torch.Generator], tuple[float, ...]]
    protocol: str
    equal: bool = False

    def used(self, features: tuple[Rows, Rows], generator: torch.Generator) -> tuple[Rows, Rows]:
        """The features that it is computed from: all, or as many of both, of the larger drawn without replacement."""
        fake, real = features
        if not self.equal or len(fake) == len(real):
            return fake, real
        rows = torch.randperm(max(len(fake), len(real)), generator=generator).numpy()[: min(len(fake), len(real))]
        return (fake[rows], real) if len(fake) > len(real) else (fake, real[rows])


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
        # Of equal distributions, n real and m generated samples, coverage is 1 - (n / (n + m))^k: 0.97, 0.6 at n = 5 m.
        equal=True,
    ),
)
ALWAYS = ("fid", "fd_classifier")  # reported as empty where their extractor is not asked for


@dataclass(frozen=True)
class Samples:
    """Two samples of uint8 images, (n, c, h, w) and (m, c, h, w), and their features, computed once for all metrics.

    Args:
        held: how many images `real` was drawn from; None where it is all of them.
        made: how many images `fake` was drawn from; None where it is all of them.
    """

    fake: Images
    real: Images
    extractors: Mapping[str, Extractor]
    held: int | None = None
    made: int | None = None
    of_real: Mapping[str, Rows] = field(default_factory=dict)

    @cached_property
    def features(self) -> dict[str, tuple[Rows, Rows]]:
        """Extractor -> features of (fake, real) images."""
        return {
            name: (extractor(self.fake), self.of_real[name] if name in self.of_real else extractor(self.real))
            for name, extractor in self.extractors.items()
        }

    @property
    def of(self) -> tuple[int, int]:
        """How many images (`fake`, `real`) were drawn from."""
        drawn_from = (self.made, self.fake), (self.held, self.real)
        of_fake, of_real = (len(images) if of is None else of for of, images in drawn_from)
        return of_fake, of_real

    def instead(self, fake: np.ndarray) -> Samples:
        """Other generated images against the same real ones, whose features are kept."""
        return replace(self, fake=fake, of_real={name: real for name, (_, real) in self.features.items()})


def feature_measures(
    samples: Samples, generator: torch.Generator, metrics: Sequence[FeatureMetric] = METRICS
) -> dict[str, Measure]:
    """Each of `metrics` in each extractor's features; the real images are held-out ones.

    A metric that needs more samples has no value; its protocol says why.
    """
    measures = dict.fromkeys(ALWAYS, Measure())
    for name, features in samples.features.items():
        extractor = samples.extractors[name]
        network = described(name, extractor, samples.fake)
        for metric in metrics:
            used, reason = metric.used(features, generator), ""
            blank = between(samples, *map(len, used))
            how = protocol(f"{metric.protocol}; float64; {network}; {blank.protocol}; round half to even")
            values: tuple[float | None, ...]
            try:
                values = metric.between(*used, generator)
            except TooFewError as error:
                values, reason = (None,) * len(metric.names[name]), str(error)
                how = f"not computed: {reason}; {how}"
            for key, value in zip(metric.names[name], values, strict=True):
                of_metric = replace(blank, features_sha256=extractor.sha256, protocol=how, reason=reason)
                measures[key] = replace(of_metric, value=value)
    return measures


def between(samples: Samples, n: int, m: int) -> Measure:
    """A measure without a value: the numbers of images, and in its protocol those numbers in words."""
    of, held = samples.of
    numbers = f"n={counted(n, of)} vs {counted(m, held)} held-out"
    return Measure(n=n, reference=held_out(m, held), protocol=numbers, of=of, n_reference=m, of_reference=held)


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
        looked_at = counted(len(known), training.of)
        how = f"AuthPct against {looked_at} training images{', spread evenly' * (len(known) < training.of)}; float64"
        how = protocol(f"{how}; {described(name, extractor, samples.fake)}; n={len(images)}; round half to even")
        against = f"{looked_at} training images"
        value = authenticity(known, images)
        measures[f"authenticity_{name}"] = Measure(value, len(images), against, extractor.sha256, how)
    return measures


def described(name: str, extractor: Extractor, images: Images) -> str:
    """The network and the preprocessing of an image, in words."""
    if name != "inception":
        return f"{extractor.dim} float32 features of {extractor.name}, no resize"
    grey = "grey repeated to three channels, " if images.shape[1] == 1 else ""
    resize = f"TensorFlow 1's bilinear resize to 299x299 (torch-fidelity {version('torch-fidelity')})"
    return f"{extractor.dim} float32 features of {extractor.name}, {grey}{resize}"
