"""Residual networks: blocks that halve maps or double them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from wae.models.same import halved

Normalise = Callable[[int], list[nn.Module]]
Size = tuple[int, int]


class Residual(nn.Module):
    """shortcut(x) + body(x), in another size: half by averaging, or larger by repeating (He et al. 2016b).

    The body is twice a normalisation, a ReLU and a 3 x 3 convolution; it changes the size between the two. The shortcut
    is the resized x, by a 1 x 1 convolution where the number of channels changes.

    Args:
        normalise: channels -> layers of a normalisation and its ReLU.
        larger: the size that comes out; None for half of each side, rounded up.
    """

    def __init__(self, inputs: int, outputs: int, normalise: Normalise, larger: Size | None = None) -> None:
        super().__init__()
        self.before = nn.Sequential(*normalise(inputs), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.after = nn.Sequential(*normalise(outputs), nn.Conv2d(outputs, outputs, 3, padding=1))
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)
        self.larger = larger

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h', w')."""
        return self.shortcut(self._resized(x)) + self.after(self._resized(self.before(x)))  # type: ignore[no-any-return]

    def _resized(self, x: Tensor) -> Tensor:
        # Not adaptive pooling: on CUDA its gradient has no order of summation that is always the same.
        return interpolate(x, self.larger) if self.larger else avg_pool2d(x, 2, ceil_mode=True)


def residual_encoder(
    channels: int, size: Size, filters: Sequence[int], numbers: int, normalise: Normalise
) -> nn.Sequential:
    """Images (n, channels, *size) -> (n, numbers): a convolution, a block for each of `filters`, and a linear layer."""
    blocks = [Residual(inputs, outputs, normalise) for inputs, outputs in pairwise([filters[0], *filters])]
    return nn.Sequential(
        nn.Conv2d(channels, filters[0], 3, padding=1),
        *blocks,
        nn.Sequential(*normalise(filters[-1])),
        nn.Flatten(),
        nn.Linear(filters[-1] * math.prod(_sizes(size, len(filters))[-1]), numbers),
    )


def residual_decoder(
    channels: int, size: Size, filters: Sequence[int], latent: int, normalise: Normalise
) -> nn.Sequential:
    """Codes (n, latent) -> images (n, channels, *size) before activation: the encoder's blocks, mirrored."""
    sizes = _sizes(size, len(filters))
    first = filters[-1], *sizes[-1]
    pairs = zip(pairwise([*filters[::-1], filters[0]]), sizes[-2::-1])
    return nn.Sequential(
        nn.Sequential(nn.Linear(latent, math.prod(first)), nn.Unflatten(1, first)),
        *(Residual(inputs, outputs, normalise, larger) for (inputs, outputs), larger in pairs),
        nn.Sequential(*normalise(filters[0]), nn.Conv2d(filters[0], channels, 3, padding=1)),
    )


def _sizes(size: Size, times: int) -> list[Size]:
    """The size of the image and of its maps, halved up to `times` times."""
    sizes = [size]
    for _ in range(times):
        sizes.append(halved(sizes[-1]))
    return sizes
