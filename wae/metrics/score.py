"""The metrics of any two sets of images: those that need neither labels nor a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from wae.metrics.checks import TooFewError
from wae.metrics.distances.report import ALWAYS, Samples, feature_measures
from wae.metrics.evaluate import mean_sharpness, patch_measures
from wae.metrics.features.extractors import Extractor
from wae.metrics.measures import Measure

SWD_IMAGES = 4096  # at most, to limit memory; Karras et al. 2018 take 8192


def score(
    images: np.ndarray, against: np.ndarray, extractors: Mapping[str, Extractor], seed: int
) -> tuple[dict[str, Measure], dict[str, str]]:
    """Measures by name, and the reason for each measure that cannot be computed.

    Of the larger set, only the first images are taken, as many as the smaller has: every distance here depends on n.

    Args:
        images: uint8 (n, c, h, w), e.g. generated.
        against: uint8 (m, c, h, w), e.g. real.
        extractors: `inception`, or empty.
        seed: seed of the random places, directions and parts.
    """
    n, generator = min(len(images), len(against)), torch.Generator().manual_seed(seed)
    samples = Samples(images[:n], against[:n], extractors)
    measures: dict[str, Measure] = {}
    missing = {"fd_classifier": "needs a classifier, trained on labelled images: a stage of the pipeline"}
    if extractors:
        measures |= feature_measures(samples, generator)
    try:
        measures |= patch_measures(samples, SWD_IMAGES, generator)
    except TooFewError as error:
        missing["swd"] = str(error)
    measures |= {"sharpness": mean_sharpness(images), "sharpness_reference": mean_sharpness(against)}
    for name in [name for name, measure in measures.items() if measure.value is None]:
        refused = measures.pop(name)
        if name not in ALWAYS:
            missing[name] = refused.protocol.split(";")[0].removeprefix("not computed: ")
    return {name: _renamed(measure) for name, measure in measures.items()}, missing


def _renamed(measure: Measure) -> Measure:
    """The measure with its reference renamed: the caller's images, not a held-out split."""
    reference = measure.reference.replace("held-out images", "of the reference")
    return replace(measure, reference=reference, protocol=measure.protocol.replace("held-out", "of the reference"))
