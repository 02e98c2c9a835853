"""Everything reported about one model: its numbers, each with its protocol, and the images to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from wae.metrics.codes import Encoding, Matched, code_measures, expost
from wae.metrics.features import Extractor
from wae.metrics.frechet import frechet_distance
from wae.metrics.images import quantise, sharpness
from wae.metrics.measures import Measure, first, held_out, protocol, unit

SHARPNESS_IMAGES = 1000  # as in the WAE paper


@runtime_checkable
class Generative(Protocol):
    """What can be evaluated: images in [0, 1] from the prior."""

    def generate(self, n: int, generator: torch.Generator) -> Tensor:
        """Images (n, c, h, w)."""


@dataclass(frozen=True)
class Evaluation:
    """Measures by name, and uint8 images by name: `samples`, and where there is an encoder those of `pictures`."""

    metrics: dict[str, Measure]
    images: dict[str, np.ndarray]

    def report(self) -> dict[str, dict[str, Any]]:
        """The measures as plain JSON types."""
        return {name: asdict(measure) for name, measure in self.metrics.items()}


@dataclass(frozen=True)
class FeatureMetric:
    """A number from two samples' features: whose features, a function of (fake, real), and what a protocol says."""

    extractor: str
    between: Callable[[np.ndarray, np.ndarray], float]
    protocol: str


METRICS = {
    "fid": FeatureMetric("inception", frechet_distance, "frechet"),
    "fd_classifier": FeatureMetric("classifier", frechet_distance, "frechet"),
}


def evaluate(
    model: nn.Module,
    train_images: np.ndarray,
    test_images: np.ndarray,
    extractors: Mapping[str, Extractor],
    settings: Mapping[str, Any],
    *,
    device: torch.device | str,
    generator: torch.Generator,
) -> Evaluation:
    """The measures and images of `model`, put into evaluation mode.

    Args:
        train_images: uint8 (n, c, h, w); the codes of the first of them are what a second sampler is fitted to.
        test_images: held-out uint8 (n, c, h, w); the first `samples` of them are the reference.
        extractors: by their names in `METRICS`; a metric whose extractor is missing has no value.
        settings: `evaluation.<data set>` of params.
        generator: on `device`; all that is random is drawn from it, the samples first.
    """
    model.eval()
    if not isinstance(model, Generative):
        raise TypeError(f"{type(model).__name__} has no generate(n, generator), so there is nothing to evaluate")
    reference = first(test_images, settings["samples"], "evaluation.samples")
    with torch.no_grad():
        fake = generated(model, settings["samples"], settings["batch"], generator)
        metrics = feature_measures(fake, reference, extractors) | {"sharpness": mean_sharpness(fake)}
        images = {"samples": fake[: settings["pictures"]["samples"]]}
        metrics["reconstruction_mse"] = Measure()
        if isinstance(model, Encoding):
            of_codes, pictures = code_measures(model, test_images, settings, device, generator)
            metrics, images = metrics | of_codes, images | pictures
        if isinstance(model, Matched):
            second = rounded(expost(model, train_images, settings, device, generator))
            metrics |= expost_measures(second, reference, extractors, settings["mixture"])
            images["expost"] = second[: settings["pictures"]["samples"]]
    return Evaluation(metrics, images)


def floor(
    train_images: np.ndarray,
    test_images: np.ndarray,
    extractors: Mapping[str, Extractor],
    settings: Mapping[str, Any],
    generator: torch.Generator,
) -> Evaluation:
    """Real against real, what a perfect model would score: `samples` training images in a generated sample's place.

    The training images are drawn without replacement; the reference is that of the models. Sharpness is that of the
    first held-out images, the anchor that the models' samples are compared with.
    """
    n = settings["samples"]
    reference = first(test_images, n, "evaluation.samples")
    first(train_images, n, "evaluation.samples")
    rows = torch.randperm(len(train_images), generator=generator, device=generator.device)[:n].sort().values
    real = np.array(train_images[rows.cpu().numpy()])
    metrics = feature_measures(real, reference, extractors) | {"sharpness": mean_sharpness(reference)}
    return Evaluation(metrics | {"reconstruction_mse": Measure()}, {"samples": real[: settings["pictures"]["samples"]]})


def feature_measures(
    fake: np.ndarray, reference: np.ndarray, extractors: Mapping[str, Extractor]
) -> dict[str, Measure]:
    """Each of `METRICS` between uint8 images, every extractor run once on each side."""
    features = {name: (extractor(fake), extractor(reference)) for name, extractor in extractors.items()}
    measures = {}
    for name, metric in METRICS.items():
        if metric.extractor not in features:
            measures[name] = Measure()
            continue
        extractor = extractors[metric.extractor]
        how = f"{metric.protocol}; float64; {extractor.name}; n={len(fake)} vs first {len(reference)} held-out"
        grey = "; grey repeated to three channels" if metric.extractor == "inception" and fake.shape[1] == 1 else ""
        measures[name] = Measure(
            value=metric.between(*features[metric.extractor]),
            n=len(fake),
            reference=held_out(reference),
            features_sha256=extractor.sha256,
            protocol=protocol(f"{how}; round half to even{grey}"),
        )
    return measures


def mean_sharpness(images: np.ndarray) -> Measure:
    """Mean sharpness of the first 1,000 of `images` uint8 (fewer if there are fewer)."""
    images = images[:SHARPNESS_IMAGES]
    value = float(sharpness(unit(images, "cpu")).mean())
    how = f"variance of the 3x3 Laplacian of the ITU-R 601 grey image in [0, 1]; mean of the first {len(images)}"
    return Measure(value, len(images), protocol=protocol(f"{how}; float64; round half to even"))


def generated(model: Generative, n: int, batch: int, generator: torch.Generator) -> np.ndarray:
    """`n` samples of `model` as uint8, `batch` at a time."""
    sizes = [min(batch, n - start) for start in range(0, n, batch)]
    return rounded(model.generate(size, generator) for size in sizes)


def rounded(batches: Iterable[Tensor]) -> np.ndarray:
    """All images of the batches as uint8, in memory."""
    return np.concatenate([quantise(images).cpu().numpy() for images in batches])


def expost_measures(
    fake: np.ndarray, reference: np.ndarray, extractors: Mapping[str, Extractor], mixture: Mapping[str, int]
) -> dict[str, Measure]:
    """The Frechet distances and the sharpness of images from the second sampler: `<name>_expost`."""
    measures = feature_measures(fake, reference, extractors) | {"sharpness": mean_sharpness(fake)}
    how = (
        f"codes drawn from a mixture of {mixture['components']} Gaussians fitted to {mixture['images']} training codes"
    )
    return {
        f"{name}_expost": replace(measure, protocol=f"{how}; {measure.protocol}")
        for name, measure in measures.items()
        if measure.value is not None
    }
