"""Encoders, decoders and critics. An encoder returns heads * d numbers per image, a decoder pixels before activation.

The convolutional networks are those of the WAE authors' code. Its TensorFlow padding (`SAME`) is asymmetric where the
total is odd, so each layer's padding is computed from the image's size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from wae.config.types import Count, Positive, Whole
from wae.models.batchnorm import BatchNorm
from wae.models.pixels import OUTPUTS, Output

MAPS = 8  # pixels of a side of the decoder's first maps: the authors have 7 for MNIST, 8 for CelebA
INIT_STD = 0.01  # standard deviation of every initial weight (the authors' init_std)


@dataclass(frozen=True)
class Networks:
    """An encoder and a decoder that fit each other, the dimension d of their codes, and their pixel range.

    `critic` makes a network of the encoder's shape, images -> (n, 1), that treats each image alone: no batch norm.
    """

    encoder: nn.Module
    decoder: nn.Module
    latent: int
    output: Output
    critic: Callable[[], nn.Sequential]


# ---- TensorFlow's SAME padding ----------------------------------------------


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis such that a convolution returns ceil(size / stride) pixels."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def same_convolution(
    size: tuple[int, int], inputs: int, outputs: int, kernel: int, stride: int = 1
) -> tuple[list[nn.Module], tuple[int, int]]:
    """The layers of a SAME convolution of (inputs, *size) images, and the size of the images it returns."""
    top, bottom = same_padding(size[0], kernel, stride)
    left, right = same_padding(size[1], kernel, stride)
    smaller = math.ceil(size[0] / stride), math.ceil(size[1] / stride)
    if (top, left) == (bottom, right):
        return [nn.Conv2d(inputs, outputs, kernel, stride, (top, left))], smaller
    return [nn.ZeroPad2d((left, right, top, bottom)), nn.Conv2d(inputs, outputs, kernel, stride)], smaller


def same_transposed(size: tuple[int, int], inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Layers that enlarge maps of ceil(size / stride) to `size`: the transpose of a SAME convolution of that stride.

    The forward convolution pads (before, after), so its transpose crops the same amounts: torch crops `before` on both
    sides, a negative padding crops the rest. (`output_padding` would act on the wrong side: a shift by one pixel.)
    """
    before = [same_padding(side, kernel, stride)[0] for side in size]
    whole = [(math.ceil(side / stride) - 1) * stride + kernel for side in size]
    low, right = (side + 2 * crop - full for side, crop, full in zip(size, before, whole))
    transposed = nn.ConvTranspose2d(inputs, outputs, kernel, stride, (before[0], before[1]))
    return [transposed] if (low, right) == (0, 0) else [transposed, nn.ZeroPad2d((0, right, 0, low))]


def normalised(channels: int) -> list[nn.Module]:
    """Batch norm and ReLU. TensorFlow's decay 0.9 of the running moments is torch's momentum 0.1."""
    return [BatchNorm(channels, eps=1e-5, momentum=0.1), nn.ReLU(inplace=True)]


def normalised_alone(channels: int) -> list[nn.Module]:
    """Layer norm and ReLU: each image is normalised alone. Small initial weights still learn through several layers."""
    return [nn.GroupNorm(1, channels), nn.ReLU(inplace=True)]


# ---- the WAE authors' convolutional networks --------------------------------


def conv(
    shape: Sequence[int],
    heads: int,
    *,
    latent: Count,
    filters: tuple[Count, ...],
    kernel: Count,
    width: Positive = 1.0,
    normalised_decoder: bool = True,
    output: Literal["sigmoid", "tanh"],
) -> Networks:
    """Strided SAME convolutions with batch norm, and their transpose (the WAE authors' code, `dcgan_mod`).

    Args:
        latent: d, the dimension of the codes.
        filters: filters of each encoder convolution, which halves the image, rounded up; the decoder has them reversed.
        kernel: side of every kernel; the WAE paper uses 4 on MNIST, 5 on CelebA.
        width: multiplies every number of filters; below 1 for a smaller network of the same shape.
        normalised_decoder: whether the decoder has batch norm, as the authors' has.
        output: activation of the last layer; it also sets the pixel range of network and cost.
    """
    channels, height, breadth = shape
    scaled = [max(1, round(width * count)) for count in filters]
    return Networks(
        encoder=_conv_encoder((height, breadth), [channels, *scaled], kernel, heads * latent),
        decoder=_conv_decoder((height, breadth), [*scaled[::-1], channels], kernel, latent, normalised_decoder),
        latent=latent,
        output=OUTPUTS[output],
        critic=partial(_conv_encoder, (height, breadth), [channels, *scaled], kernel, 1, normalised_alone),
    )


def _conv_encoder(
    size: tuple[int, int],
    channels: Sequence[int],
    kernel: int,
    numbers: int,
    normalise: Callable[[int], list[nn.Module]] = normalised,
) -> nn.Sequential:
    blocks = []
    for inputs, outputs in pairwise(channels):
        layers, size = same_convolution(size, inputs, outputs, kernel, stride=2)
        blocks.append(nn.Sequential(*layers, *normalise(outputs)))
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(size[0] * size[1] * channels[-1], numbers))


def _conv_decoder(
    size: tuple[int, int], channels: Sequence[int], kernel: int, latent: int, normalise: bool
) -> nn.Module:
    upsamplings = min(halvings(size), len(channels) - 2)
    sizes = [size]
    for _ in range(upsamplings):
        sizes.append(halved(sizes[-1]))
    start = channels[0], *sizes[-1]
    # The first layer has no batch norm. The last layer has stride 1 and takes the last upsampled maps.
    blocks = [nn.Sequential(nn.Linear(latent, math.prod(start)), nn.ReLU(inplace=True), nn.Unflatten(1, start))]
    for (inputs, outputs), larger in zip(pairwise(channels[: upsamplings + 1]), sizes[-2::-1]):
        layers = same_transposed(larger, inputs, outputs, kernel, stride=2)
        blocks.append(nn.Sequential(*layers, *(normalised(outputs) if normalise else [nn.ReLU(inplace=True)])))
    return nn.Sequential(*blocks, nn.Sequential(*same_transposed(size, channels[upsamplings], channels[-1], kernel)))


def halvings(size: tuple[int, int]) -> int:
    """How often maps are halved from the image's size to the decoder's first ones, or more often: 2 for 28 x 28 (to 7).

    As often as every side halves exactly, as in the authors' networks, and at least until no side is above MAPS. So 65
    pixels, which do not halve, have nearly the network of 64.
    """
    common = math.gcd(*size)
    exact = (common & -common).bit_length() - 1
    return max(exact, math.ceil(math.log2(max(size) / MAPS)))


def halved(size: tuple[int, int]) -> tuple[int, int]:
    """Half of each side, rounded up, as strided SAME convolutions make it."""
    return math.ceil(size[0] / 2), math.ceil(size[1] / 2)


# ---- fully connected --------------------------------------------------------


def perceptron(
    inputs: int, layers: int, units: int, outputs: int, *, normalise: Callable[[int], nn.Module] | None = None
) -> nn.Sequential:
    """`layers` hidden layers of `units` with ReLU, then a linear one: (n, inputs) -> (n, outputs).

    Args:
        normalise: units -> a layer before every ReLU; small initial weights then learn through several layers.
    """
    hidden = []
    for before, after in pairwise([inputs, *[units] * layers]):
        norm = [normalise(after)] if normalise else []
        hidden.append(nn.Sequential(nn.Linear(before, after), *norm, nn.ReLU(inplace=True)))
    return nn.Sequential(*hidden, nn.Linear(units if layers else inputs, outputs))


def mlp(
    shape: Sequence[int],
    heads: int,
    *,
    latent: Count,
    layers: Whole,
    units: Count,
    normalised_decoder: bool = True,
    output: Literal["sigmoid", "tanh"],
) -> Networks:
    """Fully connected encoder and decoder with batch norm, for small images and experiments.

    Args:
        latent: d, the dimension of the codes.
        layers: hidden layers of each network; 0 makes both linear, apart from the activation of the pixels.
        units: units in each hidden layer.
        normalised_decoder: whether the decoder has batch norm.
        output: activation of the last layer; it also sets the pixel range of network and cost.
    """
    pixels = math.prod(shape)
    encoder = perceptron(pixels, layers, units, heads * latent, normalise=BatchNorm)
    decoder = perceptron(latent, layers, units, pixels, normalise=BatchNorm if normalised_decoder else None)
    return Networks(
        encoder=nn.Sequential(nn.Flatten(), encoder),
        decoder=nn.Sequential(decoder, nn.Unflatten(1, tuple(shape))),
        latent=latent,
        output=OUTPUTS[output],
        critic=lambda: nn.Sequential(nn.Flatten(), *perceptron(pixels, layers, units, 1, normalise=nn.LayerNorm)),
    )


# ---- initial weights --------------------------------------------------------


def truncated_normal(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """A tensor like `like` from N(0, 1) truncated at two deviations, by the inverse distribution function.

    Rejection sampling (torch's trunc_normal_) would wait for the device, to know whether draws were rejected.
    """
    inside = math.erf(math.sqrt(2))  # P(|N(0, 1)| < 2)
    uniform = torch.empty_like(like).uniform_(-inside, inside, generator=generator)
    return uniform.erfinv_().mul_(math.sqrt(2)).clamp_(-2, 2)


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator | None = None, std: float = INIT_STD) -> None:
    """Draw weights from N(0, std^2), truncated at two deviations for `Conv2d`; set biases to 0 (the authors' code)."""
    for part in module.modules():
        match part:
            case nn.Conv2d():
                part.weight.copy_(truncated_normal(part.weight, generator).mul_(std))
            case nn.ConvTranspose2d() | nn.Linear():
                part.weight.normal_(0.0, std, generator=generator)
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and part.bias is not None:
            part.bias.zero_()


NETWORKS = {"conv": conv, "mlp": mlp}
