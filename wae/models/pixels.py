"""The pixel ranges of networks. Everywhere else, except in a model's own loss, pixels are in [0, 1]."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class Output(ABC):
    """A network's own pixel range, and the activation that maps to it."""

    @abstractmethod
    def scale(self, x: Tensor) -> Tensor:
        """Images in [0, 1], mapped to the network's range."""

    @abstractmethod
    def activate(self, raw: Tensor) -> Tensor:
        """The decoder's raw output, mapped to the network's range."""

    @abstractmethod
    def logits(self, raw: Tensor) -> Tensor:
        """log(p / (1 - p)) of the pixel p in [0, 1] that `raw` stands for."""

    def pixels(self, raw: Tensor) -> Tensor:
        """The decoder's raw output as images in [0, 1]."""
        return self.logits(raw).sigmoid()


class Sigmoid(Output):
    """[0, 1], as the WAE authors' MNIST networks."""

    def scale(self, x: Tensor) -> Tensor:
        """Images in [0, 1], unchanged: the network has the same range."""
        return x

    def activate(self, raw: Tensor) -> Tensor:
        """The decoder's raw output in [0, 1]."""
        return raw.sigmoid()

    def logits(self, raw: Tensor) -> Tensor:
        """log(p / (1 - p)) of the pixel: `raw` itself."""
        return raw


class Tanh(Output):
    """[-1, 1], as the WAE authors' CelebA networks."""

    def scale(self, x: Tensor) -> Tensor:
        """Images in [0, 1], mapped to the network's range: 2x - 1."""
        return 2 * x - 1

    def activate(self, raw: Tensor) -> Tensor:
        """The decoder's raw output in [-1, 1]."""
        return raw.tanh()

    def logits(self, raw: Tensor) -> Tensor:
        """log(p / (1 - p)) of the pixel p = (tanh(raw) + 1) / 2, which is sigmoid(2 raw)."""
        return 2 * raw


OUTPUTS: dict[str, Output] = {"sigmoid": Sigmoid(), "tanh": Tanh()}
