"""Everything reported about one model: its numbers, each with its protocol, and the images to draw."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from wae.errors import UserError
from wae.metrics.codes.report import Encoding, Matched, code_measures, expost
from wae.metrics.distances.memory import nearest_images
from wae.metrics.distances.report import FRECHET, Samples, Training, between, feature_measures, memory_measures
from wae.metrics.distances.swd import DIRECTIONS, PATCHES, SIDE, laplacian_swd
from wae.metrics.draws import Images, Rows, chosen, drawn
from wae.metrics.features.extractors import Extractor
from wae.metrics.images import quantise, sharpness
from wae.metrics.measures import Measure, counted, protocol, unit

HELD = 1 << 20  # pixel values on which sharpness is measured at once: 8 MiB
NEAREST = 32  # samples that are shown with the training images nearest to them
DRAWS = 1  # bit by which the metrics' seed differs from the samples' seed


@runtime_checkable
class Generative(Protocol):
    """A model that can be evaluated: it generates images in [0, 1] from the prior."""

    def generate(self, n: int, generator: torch.Generator) -> Tensor:
        """Images (n, c, h, w)."""


@dataclass(frozen=True)
class Evaluation:
    """Measures by name, and uint8 images by name.

    The images are `samples`; for a model also `nearest`, the training images nearest to the first samples, and the
    images made from its codes.
    """

    metrics: dict[str, Measure]
    images: dict[str, np.ndarray]

    def report(self) -> dict[str, dict[str, Any]]:
        """The measures as plain JSON types."""
        return {name: measure.report() for name, measure in self.metrics.items()}


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
    """The measures and images of `model`, which is put into evaluation mode.

    Args:
        train_images: uint8 (n, c, h, w); the second sampler is fitted to their codes, and samples checked for copies.
        test_images: held-out uint8 (n, c, h, w); `samples` of them, drawn by the settings' seed, are the reference.
        extractors: by their names in `distances.report.METRICS`.
        settings: `evaluation.<data set>` of params.
        generator: on `device`; the model draws all its numbers from it, the samples first. Further samplings have their
            own. The metrics' draws depend on its seed alone, so all models are measured along the same directions.
    """
    model.eval()
    if not isinstance(model, Generative):
        raise TypeError(f"{type(model).__name__} has no generate(n, generator), so there is nothing to evaluate")
    n, batch = settings["samples"], settings["batch"]
    reference = drawn(test_images, n, settings["seed"], "evaluation.samples")
    training = Training.read(train_images, extractors)

    def measured(samples: Samples, draws: torch.Generator) -> dict[str, Measure]:
        of_fake = sample_measures(samples, settings, draws) | memory_measures(samples, training, of_real=False)
        return of_fake | {"sharpness": mean_sharpness(samples.fake)}

    with torch.no_grad():
        samples = Samples(generated(model, n, batch, generator), reference, extractors, len(test_images))
        metrics = measured(samples, generator)
        for more in further(generator, settings):
            metrics = joined(metrics, measured(samples.instead(generated(model, n, batch, more)), more))
        shown = samples.fake[: settings["pictures"]["samples"]]
        images = {"samples": shown, "nearest": train_images[nearest_images(shown[:NEAREST], train_images)]}
        metrics["reconstruction_mse"] = Measure()
        if isinstance(model, Encoding):
            of_codes, pictures = code_measures(model, test_images, settings, device, generator)
            metrics, images = metrics | of_codes, images | pictures
        if isinstance(model, Matched):
            second = rounded(expost(model, train_images, settings, device, generator))
            metrics |= expost_measures(samples.instead(second), settings["mixture"], len(train_images), generator)
            images["expost"] = second[: settings["pictures"]["samples"]]
    return Evaluation(metrics, images)


def floor(
    train_images: np.ndarray,
    test_images: np.ndarray,
    extractors: Mapping[str, Extractor],
    settings: Mapping[str, Any],
    generator: torch.Generator,
) -> Evaluation:
    """The measures of a perfect model, real against real: `samples` training images in the place of generated ones.

    The training images are drawn without replacement; the reference is that of the models. Sharpness and
    authenticity are those of the reference, the anchors that the models' samples are compared with.
    """
    n, seed = settings["samples"], settings["seed"]
    reference = drawn(test_images, n, seed, "evaluation.samples")
    samples = Samples(some(train_images, n, generator), reference, extractors, len(test_images))
    metrics = sample_measures(samples, settings, generator)
    for more in further(generator, settings):
        again = samples.instead(some(train_images, n, more))
        metrics = joined(metrics, sample_measures(again, settings, more))
    metrics |= memory_measures(samples, Training.read(train_images, extractors), of_real=True)
    metrics |= {"sharpness": mean_sharpness(reference), "reconstruction_mse": Measure()}
    return Evaluation(metrics, {"samples": samples.fake[chosen(n, settings["pictures"]["samples"], seed)]})


def some(images: np.ndarray, n: int, generator: torch.Generator) -> np.ndarray:
    """`n` of the images, drawn without replacement, in their original order."""
    if len(images) < n:
        raise UserError(f"evaluation.samples takes {n} images, but the training split has {len(images)}")
    rows = torch.randperm(len(images), generator=generator, device=generator.device)[:n].sort().values
    return np.array(images[rows.cpu().numpy()])


# ---- samplings --------------------------------------------------------------


def further(generator: torch.Generator, settings: Mapping[str, Any]) -> Iterator[torch.Generator]:
    """The generators of all samplings after the first, which uses `generator`; the same for every model."""
    for index in range(1, settings.get("samplings", 1)):
        # Steps of two: the metrics' seeds differ from these in the last bit only, so no two seeds are equal.
        yield torch.Generator(generator.device).manual_seed(generator.initial_seed() + 2 * index)


def joined(metrics: Mapping[str, Measure], another: Mapping[str, Measure]) -> dict[str, Measure]:
    """The measures of some samplings, with the values of one more sampling added."""
    values = {name: another[name].value for name in metrics}
    return {
        name: of if (value := values[name]) is None else replace(of, again=(*of.again, value))
        for name, of in metrics.items()
    }


# ---- measures ---------------------------------------------------------------


def sample_measures(samples: Samples, settings: Mapping[str, Any], generator: torch.Generator) -> dict[str, Measure]:
    """Distances of samples from real images, in features and, if `settings` has `swd`, in patches."""
    # On the CPU, and not the samples' generator: each model draws another amount of numbers from that one.
    draws = torch.Generator().manual_seed(generator.initial_seed() ^ DRAWS)
    measures = feature_measures(samples, draws)
    return measures | (patch_measures(samples, settings["swd"], settings["seed"], draws) if settings.get("swd") else {})


def patch_measures(samples: Samples, n: int, seed: int, generator: torch.Generator) -> dict[str, Measure]:
    """`swd`, the mean over the pyramid's levels, and `swd_<height>` of each level.

    Args:
        n: images of each sample at most; of more, `seed` draws so many.
        generator: draws the patches and directions.
    """
    fake, real = (Rows(images, chosen(len(images), n, seed)) for images in (samples.fake, samples.real))
    values, blank = laplacian_swd(fake, real, generator), between(samples, len(fake), len(real))
    how = f"10^3 W_1 of {PATCHES} {SIDE}x{SIDE} patches an image, {DIRECTIONS} directions, each set normalised"
    how += f"; levels {', '.join(map(str, values))} px; {blank.protocol}"
    how = protocol(f"{how}; float32; round half to even")
    named = {"swd": float(np.mean(list(values.values())))} | {f"swd_{side}": value for side, value in values.items()}
    return {name: replace(blank, value=value, protocol=how) for name, value in named.items()}


def mean_sharpness(images: Images, of: int | None = None) -> Measure:
    """Mean sharpness of images uint8 (n, c, h, w), the same in any order of them.

    Args:
        of: how many they were drawn from; None where they are all.
    """
    values = torch.empty(len(images), dtype=torch.float64)
    # No part has only one image, if there are more: torch sums its pixels in another order than those of many.
    parts = max(1, min(len(images) // 2, math.prod(images.shape) // HELD))
    for rows in np.array_split(np.arange(len(images)), parts):
        some = images[rows[0] : rows[-1] + 1]
        values[rows[0] : rows[-1] + 1] = sharpness(unit(some, "cpu"))  # a list of results would fragment the memory
    value = float(values.sort().values.mean())
    n = len(images)
    how = f"variance of the 3x3 Laplacian of the ITU-R 601 grey image in [0, 1]; mean of {counted(n, of or n)}"
    return Measure(value, n, protocol=protocol(f"{how}; float64; round half to even"), of=of or n)


def generated(model: Generative, n: int, batch: int, generator: torch.Generator) -> np.ndarray:
    """`n` samples of `model` as uint8, `batch` at a time."""
    sizes = [min(batch, n - start) for start in range(0, n, batch)]
    return rounded(model.generate(size, generator) for size in sizes)


def rounded(batches: Iterable[Tensor]) -> np.ndarray:
    """All images of the batches as uint8, in memory."""
    return np.concatenate([quantise(images).cpu().numpy() for images in batches])


def expost_measures(
    samples: Samples, mixture: Mapping[str, int], of: int, generator: torch.Generator
) -> dict[str, Measure]:
    """The Frechet distances and the sharpness of images from the second sampler: `<name>_expost`.

    Args:
        of: how many training images there were for the mixture to be fitted to.
    """
    measures = feature_measures(samples, generator, FRECHET) | {"sharpness": mean_sharpness(samples.fake)}
    codes = counted(mixture["images"], of)
    how = f"codes from a mixture of {mixture['components']} Gaussians fitted to {codes} training codes"
    return {
        f"{name}_expost": replace(measure, protocol=f"{how}; {measure.protocol}")
        for name, measure in measures.items()
        if measure.value is not None
    }
