"""Everything reported about one model: its numbers, each with its protocol, and the images to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from wae.errors import UserError
from wae.metrics.features import Extractor
from wae.metrics.frechet import frechet_distance
from wae.metrics.images import quantise, sharpness
from wae.metrics.interpolation import interpolation_quality

SHARPNESS_IMAGES = 1000  # as in the WAE paper


@runtime_checkable
class Generative(Protocol):
    """What can be evaluated: images in [0, 1] from the prior."""

    def generate(self, n: int, generator: torch.Generator) -> Tensor:
        """Images (n, c, h, w)."""


@runtime_checkable
class Encoding(Protocol):
    """What can also be asked for reconstructions and interpolations."""

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, d) of images in [0, 1]."""

    def decode(self, z: Tensor) -> Tensor:
        """Images in [0, 1] of codes (n, d)."""


@dataclass(frozen=True)
class Measure:
    """One number, of how many images, against what, in whose features, and how; blank where it does not apply."""

    value: float | None = None
    n: int = 0
    reference: str = ""
    features_sha256: str = ""
    protocol: str = ""


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
    test_images: np.ndarray,
    extractors: Mapping[str, Extractor],
    settings: Mapping[str, Any],
    *,
    device: torch.device | str,
    generator: torch.Generator,
) -> Evaluation:
    """The measures and images of `model`, put into evaluation mode.

    Args:
        test_images: held-out uint8 (n, c, h, w); the first `samples` of them are the reference.
        extractors: by their names in `METRICS`; a metric whose extractor is missing has no value.
        settings: samples (number generated), batch, pictures: {samples, reconstructions, rows, steps}.
        generator: on `device`; the prior is drawn from it and nothing else is random.
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
            metrics["reconstruction_mse"] = reconstruction_mse(model, reference, settings["batch"], device)
            images |= pictures(model, test_images, settings, device)
            if settings.get("interpolation"):
                metrics |= interpolation_measures(model, test_images, settings["interpolation"], device)
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
            reference=_held_out(reference),
            features_sha256=extractor.sha256,
            protocol=_protocol(f"{how}; round half to even{grey}"),
        )
    return measures


def mean_sharpness(images: np.ndarray) -> Measure:
    """Mean sharpness of the first 1,000 of `images` uint8 (fewer if there are fewer)."""
    images = images[:SHARPNESS_IMAGES]
    value = float(sharpness(unit(images, "cpu")).mean())
    how = f"variance of the 3x3 Laplacian of the ITU-R 601 grey image in [0, 1]; mean of the first {len(images)}"
    return Measure(value, len(images), protocol=_protocol(f"{how}; float64; round half to even"))


def reconstruction_mse(model: Encoding, images: np.ndarray, batch: int, device: torch.device | str) -> Measure:
    """Mean squared error over all elements of `images` uint8, in [0, 1], of reconstructions that are not rounded."""
    total = 0.0
    for start in range(0, len(images), batch):
        x = unit(images[start : start + batch], device)
        total += float((model.decode(model.encode(x)).double() - x.double()).square().sum())
    how = _protocol(f"mean over all elements in [0, 1]; first {len(images)} held-out; not rounded")
    return Measure(total / images.size, len(images), _held_out(images), protocol=how)


def interpolation_measures(
    model: Encoding, images: np.ndarray, settings: Mapping[str, int], device: torch.device | str
) -> dict[str, Measure]:
    """ACAI's two numbers of the first `pairs` of held-out rays, image 2i to image 2i + 1, linearly in code space."""
    pairs = first(images, 2 * settings["pairs"], "twice evaluation.interpolation.pairs")
    rows = torch.stack(list(between(model, pairs, settings["steps"], device)))
    distance, smoothness = interpolation_quality(rows.cpu().numpy())
    how = _protocol(f"{settings['pairs']} held-out pairs in {settings['steps']} steps; 10000 real rays; not rounded")
    measures = {"interpolation_distance": distance, "interpolation_smoothness": smoothness}
    return {name: Measure(value, settings["pairs"], _held_out(pairs), protocol=how) for name, value in measures.items()}


def between(model: Encoding, pairs: np.ndarray, steps: int, device: torch.device | str) -> Iterator[Tensor]:
    """Decoded images (steps, c, h, w) from each image 2i to image 2i + 1, ends included, linearly in code space."""
    codes = model.encode(unit(pairs, device))
    t = torch.linspace(0.0, 1.0, steps, device=codes.device)[:, None]
    yield from (model.decode(row) for row in (1.0 - t) * codes[0::2, None] + t * codes[1::2, None])


def generated(model: Generative, n: int, batch: int, generator: torch.Generator) -> np.ndarray:
    """`n` samples of `model` as uint8, `batch` at a time."""
    sizes = [min(batch, n - start) for start in range(0, n, batch)]
    return np.concatenate([quantise(model.generate(size, generator)).cpu().numpy() for size in sizes])


def pictures(
    model: Encoding, images: np.ndarray, settings: Mapping[str, Any], device: torch.device | str
) -> dict[str, np.ndarray]:
    """`originals`, `reconstructions` (k, c, h, w) and `interpolations` (rows, steps, c, h, w) of held-out images.

    A row goes from image 2i to image 2i + 1, both ends reconstructed, linearly in code space.
    """
    wanted = settings["pictures"]
    originals = first(images, wanted["reconstructions"], "evaluation.pictures.reconstructions")
    pairs = first(images, 2 * wanted["rows"], "twice evaluation.pictures.rows")
    decoded = [quantise(row).cpu().numpy() for row in between(model, pairs, wanted["steps"], device)]
    reconstructions = quantise(model.decode(model.encode(unit(originals, device)))).cpu().numpy()
    return {"originals": originals, "reconstructions": reconstructions, "interpolations": np.stack(decoded)}


def first(images: np.ndarray, n: int, key: str) -> np.ndarray:
    """The first `n` images, in memory."""
    if len(images) < n:
        raise UserError(f"{key} takes {n} images, but this split has {len(images)}; it is at most that number")
    return np.array(images[:n])


def unit(images: np.ndarray, device: torch.device | str) -> Tensor:
    """Images uint8 as floats in [0, 1] on `device`."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).float() / 255.0


def _held_out(images: np.ndarray) -> str:
    return f"first {len(images)} held-out images"


def _protocol(how: str) -> str:
    """`how`, and the versions of what did it, less the build's suffix: that names a machine, not a method."""
    return f"{how}; torch {torch.__version__.split('+')[0]}; wae {version('wae')}"
