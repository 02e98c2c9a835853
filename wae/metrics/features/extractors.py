"""Feature extractors: images -> feature vectors for the Frechet distance and similar metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wae import io
from wae.metrics.draws import Images
from wae.metrics.features import classifier, inception

CLASSIFIER_BATCH = 1000
INCEPTION_BATCH = 50  # 299 x 299 inside: about 0.6 GB


@dataclass(frozen=True)
class Extractor:
    """A frozen network as a function of uint8 images, with the name and hash that identify it in a report.

    Args:
        name: its name in a protocol.
        sha256: of the file that holds its weights.
        dim: features per image.
        network: uint8 (n, c, h, w) on `device` -> (n, dim).
        batch: images at once.
    """

    name: str
    sha256: str
    dim: int
    network: Callable[[Tensor], Tensor]
    device: torch.device | str
    batch: int

    def __call__(self, images: Images) -> NDArray[np.float32]:
        """Features (n, dim) of images uint8 (n, c, h, w), a batch at a time; `images` may be memory-mapped."""
        if images.dtype != np.uint8:
            raise ValueError(f"images are {images.dtype}; features are those of quantised images, uint8")
        features = np.empty((len(images), self.dim), dtype=np.float32)
        # TF32 convolutions, the default on a GPU, have errors of 1e-3.
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        with torch.no_grad(), exact:
            for start in range(0, len(images), self.batch):
                rows = slice(start, start + self.batch)
                features[rows] = self.network(torch.from_numpy(np.array(images[rows])).to(self.device)).cpu().numpy()
        return features


def classifier_features(path: Path, device: torch.device | str = "cpu") -> Extractor:
    """The hidden layer of the classifier in `path`."""
    network = classifier.load(path).to(device)
    dim = network.hidden.out_features
    return Extractor("classifier", io.sha256(path), dim, network.features, device, CLASSIFIER_BATCH)


def inception_features(path: Path, device: torch.device | str = "cpu") -> Extractor:
    """The last pooling layer of Inception-v3 (2015-12-05), whose weights are in `path`."""
    network = inception.load(path, device)
    return Extractor(inception.NAME, network.sha256, inception.DIM, network.features, device, INCEPTION_BATCH)


EXTRACTORS = {"classifier": classifier_features, "inception": inception_features}
