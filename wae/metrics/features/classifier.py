"""A small classifier, trained from a seed. Its last hidden layer gives features where no standard network fits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wae import io
from wae.config.types import Count, Positive, Whole

BATCH = 1000  # images at once where nothing is trained
SHIFT = 2  # pixels


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a classifier is built and trained: the keys of its entry in params."""

    epochs: Count
    batch: Count
    lr: Positive
    width: Count
    features: Count
    seed: Whole


class Classifier(nn.Module):
    """Strided 3x3 convolutions, one hidden layer of `features` units, one linear head per label column.

    No batch norm and no dropout: features are a function of one image, in training as in evaluation. The layer norm
    keeps every unit of the hidden layer alive: without it a third of them are 0 on every image, and a distance in the
    features sees half as many directions. Pixels are centred at 0.5: around 0 the norm would hide an image's contrast.
    The shape of an image is kept beside the weights, so that the state dictionary alone rebuilds the module.
    """

    shape: Tensor

    def __init__(self, shape: Sequence[int], filters: Sequence[int], features: int, classes: Sequence[int]) -> None:
        super().__init__()
        channels, height, width = shape
        self.register_buffer("shape", torch.tensor(list(shape)))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in zip([channels, *filters], filters)
        )
        for _ in filters:
            height, width = math.ceil(height / 2), math.ceil(width / 2)
        self.hidden = nn.Linear(filters[-1] * height * width, features)
        self.norm = nn.LayerNorm(features, elementwise_affine=False)
        self.heads = nn.ModuleList(nn.Linear(features, count) for count in classes)

    def features(self, images: Tensor) -> Tensor:
        """Images (n, c, h, w), uint8 or floats in [0, 1] -> the hidden layer (n, features) after its ReLU."""
        x = (images if images.is_floating_point() else images.float() / 255.0) - 0.5
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        return F.relu(self.norm(self.hidden(x.flatten(1))))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Logits (n, classes), one tensor a label column."""
        features = self.features(images)
        return [head(features) for head in self.heads]


def fit(images: np.ndarray, labels: np.ndarray, settings: Mapping[str, Any], device: torch.device | str) -> Classifier:
    """Train on images uint8 (n, c, h, w) and labels (n, columns): Adam on the sum of the columns' cross entropies.

    Each batch is moved by up to `SHIFT` pixels, and the learning rate falls from `lr` to 0 as a half cosine. `settings`
    holds the fields of `Settings`; all random numbers come from its seed.
    """
    options = Settings(**settings)
    generator = torch.Generator().manual_seed(options.seed)
    x, y = torch.from_numpy(np.array(images)).to(device), _labels(images, labels).to(device)
    classes = [int(count) + 1 for count in y.amax(dim=0)]
    with torch.device("meta"):
        filters = [options.width * factor for factor in (1, 2, 4)]
        network = Classifier(images.shape[1:], filters, options.features, classes)
    network.load_state_dict(_initial(network, images.shape[1:], generator), assign=True)
    network.to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=options.lr)
    steps = options.epochs * math.ceil(len(x) / options.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(options.epochs):
        order = torch.randperm(len(x), generator=generator).to(device)
        for start in range(0, len(x), options.batch):
            rows = order[start : start + options.batch]
            optimiser.zero_grad()
            logits = network(_shifted(x[rows], generator))
            loss = torch.stack([F.cross_entropy(*column) for column in zip(logits, y[rows].T)]).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network.eval().requires_grad_(False)


def accuracy(network: nn.Module, images: np.ndarray, labels: np.ndarray) -> list[float]:
    """Share of right answers in each label column."""
    y = _labels(images, labels)
    device = next(network.parameters()).device
    right = torch.zeros(y.shape[1])
    with torch.no_grad():
        for start in range(0, len(y), BATCH):
            rows = slice(start, start + BATCH)
            logits = network(torch.from_numpy(np.array(images[rows])).to(device))
            answers = torch.stack([column.argmax(dim=1).cpu() for column in logits], dim=1)
            right += (answers == y[rows]).sum(dim=0)
    return [float(count) / len(y) for count in right]


def save(path: Path, network: Classifier) -> None:
    """Write the weights and the image shape as safetensors."""
    io.write_weights(path, network.state_dict())


def load(path: Path) -> Classifier:
    """The classifier that `save` wrote, ready for evaluation; its architecture is read off its tensors."""
    state = io.read_weights(path)
    filters, classes = _outputs(state, "convolutions"), _outputs(state, "heads")
    with torch.device("meta"):
        network = Classifier(state["shape"].tolist(), filters, len(state["hidden.bias"]), classes)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def _outputs(state: Mapping[str, Tensor], part: str) -> list[int]:
    """Outputs of each layer of a list of layers."""
    count = sum(name.startswith(f"{part}.") and name.endswith(".bias") for name in state)
    return [len(state[f"{part}.{i}.bias"]) for i in range(count)]


def _labels(images: np.ndarray, labels: np.ndarray) -> Tensor:
    """Labels (n, columns) as int64, one row an image."""
    if labels.ndim != 2 or len(labels) != len(images):
        raise ValueError(f"labels have shape {labels.shape} for {len(images)} images; they are (n, columns)")
    return torch.from_numpy(labels.astype(np.int64))


def _initial(network: Classifier, shape: Sequence[int], generator: torch.Generator) -> dict[str, Tensor]:
    """Weights ~ N(0, 2 / fan in) (He et al. 2015) and zero biases, drawn from `generator` alone."""
    state = {"shape": torch.tensor(list(shape))}
    for name, parameter in network.named_parameters():
        state[name] = torch.zeros(parameter.shape)
        if name.endswith("weight"):
            state[name].normal_(0.0, math.sqrt(2.0 / parameter[0].numel()), generator=generator)
    return state


def _shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images uint8 as floats in [0, 1], all moved by one random shift; the border is repeated."""
    down, right = torch.randint(0, 2 * SHIFT + 1, (2,), generator=generator).tolist()
    height, width = images.shape[2:]
    padded = F.pad(images.float() / 255.0, (SHIFT,) * 4, mode="replicate")
    return padded[:, :, down : down + height, right : right + width]
