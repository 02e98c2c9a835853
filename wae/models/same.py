"""TensorFlow's SAME padding: sizes of maps that strided convolutions make, and layers that make them and undo them."""

from __future__ import annotations

import math

from torch import nn

MAPS = 8  # pixels of a side of the decoder's first maps: the authors have 7 for MNIST, 8 for CelebA


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
