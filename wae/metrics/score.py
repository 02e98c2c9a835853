"""The metrics of any two sets of images: those that need neither labels nor a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from wae.errors import UserError
from wae.metrics.checks import Matrix, TooFewError
from wae.metrics.distances.frechet import Gaussian, frechet_distance
from wae.metrics.distances.report import ALWAYS, Samples, described, feature_measures
from wae.metrics.draws import by_content
from wae.metrics.evaluate import mean_sharpness, patch_measures
from wae.metrics.features.extractors import Extractor
from wae.metrics.measures import Measure, counted, protocol

SWD_IMAGES = 4096  # of each set at most, to limit memory; Karras et al. 2018 take 8192
CLASSIFIER = {"fd_classifier": "needs a classifier, trained on labelled images: a stage of the pipeline"}

Measured = tuple[dict[str, Measure], dict[str, str]]


def score(
    images: np.ndarray, against: np.ndarray, extractors: Mapping[str, Extractor], seed: int, most: int | None = None
) -> Measured:
    """Measures by name, and the reason for each measure that cannot be computed.

    All of both sets are used where a metric allows sets of different size. Where it does not, and of more images than
    a metric holds, some are drawn. Neither the order of a set nor its files' names change a number.

    Args:
        images: uint8 (n, c, h, w), e.g. generated.
        against: uint8 (m, c, h, w), e.g. real.
        extractors: `inception`, or empty.
        seed: seed of the random places, directions, parts and draws.
        most: how many images of each set are drawn; None for all.
    """
    samples = _drawn(images, against, extractors, seed, most)
    measures: dict[str, Measure] = {}
    missing = dict(CLASSIFIER)
    if extractors:
        measures |= feature_measures(samples, torch.Generator().manual_seed(seed))
    try:
        measures |= patch_measures(samples, SWD_IMAGES, seed, torch.Generator().manual_seed(seed))
    except TooFewError as error:
        missing["swd"] = str(error)
    for name, some, of in zip(("sharpness", "sharpness_reference"), (samples.fake, samples.real), samples.of):
        measures[name] = mean_sharpness(some, of)
    for name in [name for name, measure in measures.items() if measure.value is None]:
        refused = measures.pop(name)
        if name not in ALWAYS:
            missing[name] = refused.reason
    return {name: _renamed(measure) for name, measure in measures.items()}, missing


def score_moments(
    images: np.ndarray, moments: Gaussian, extractors: Mapping[str, Extractor], seed: int, most: int | None = None
) -> Measured:
    """As `score`, against the mean and covariance of the reference's features: FID, and the images' sharpness."""
    samples = _drawn(images, images, extractors, seed, most)
    reason = "needs the images of the reference, which is only a mean and a covariance"
    missing = CLASSIFIER | {"fid_infinity, kid, swd, sharpness_reference, and all else that needs pairs": reason}
    measures: dict[str, Measure] = {}
    n, (of, _) = len(samples.fake), samples.of
    for name, extractor in extractors.items():
        how = f"frechet; float64; {described(name, extractor, samples.fake)}; n={counted(n, of)} vs mean and covariance"
        how = protocol(f"{how} of a file, in whatever features they were taken; round half to even")
        value = frechet_distance(extractor(samples.fake), moments)
        measures["fid"] = Measure(value, n, "mean and covariance of a file", extractor.sha256, how, of=of)
    return measures | {"sharpness": mean_sharpness(samples.fake, of)}, missing


def gaussian(path: Path, moments: tuple[Matrix, Matrix], extractors: Mapping[str, Extractor]) -> Gaussian:
    """The Gaussian of the mean and covariance in a file. UserError if it is none, or of other features."""
    mean, covariance = moments
    for extractor in extractors.values():
        if mean.shape != (extractor.dim,):
            raise UserError(f"{path} holds mu of shape {mean.shape}; {extractor.name} has {extractor.dim} features")
    try:
        return Gaussian.with_moments(mean, covariance)
    except ValueError as error:
        raise UserError(f"{path} holds no mu and sigma of a Gaussian: {error}") from error


def _drawn(
    images: np.ndarray, against: np.ndarray, extractors: Mapping[str, Extractor], seed: int, most: int | None
) -> Samples:
    fake, real = (by_content(of, seed, most) for of in (images, against))
    return Samples(fake, real, extractors, held=len(against), made=len(images))


def _renamed(measure: Measure) -> Measure:
    """The measure with its reference renamed: the caller's images, not a held-out split."""
    reference = measure.reference.replace("held-out images", "images of the reference")
    return replace(measure, reference=reference, protocol=measure.protocol.replace("held-out", "of the reference"))
