"""Networks: TensorFlow's geometry, the authors' sizes, initial weights, pixel ranges."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from wae.models.nets import (
    Networks,
    conv,
    halvings,
    initialise,
    mlp,
    perceptron,
    same_convolution,
    same_padding,
    same_transposed,
    truncated_normal,
)
from wae.models.pixels import OUTPUTS

FILTERS = (128, 256, 512, 1024)


def mnist(width: float = 1.0, heads: int = 1) -> Networks:
    return conv((1, 28, 28), heads, latent=8, filters=FILTERS, kernel=4, width=width, output="sigmoid")


def celeba(width: float = 1.0) -> Networks:
    return conv((3, 64, 64), 1, latent=64, filters=FILTERS, kernel=5, width=width, output="tanh")


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


# ---- the authors' sizes ----


def test_parameter_counts_are_those_of_the_authors_networks():
    with torch.device("meta"):
        assert (count(mnist().encoder), count(mnist().decoder)) == (11_050_632, 10_943_745)
        assert (count(celeba().encoder), count(celeba().decoder)) == (18_267_200, 21_475_331)
        assert count(perceptron(8, 4, 512, 1)) == 793_089


def test_the_maps_have_the_authors_sizes():
    with torch.device("meta"):
        assert mnist().encoder[:4](torch.empty(2, 1, 28, 28)).shape == (2, 1024, 2, 2)
        assert mnist().decoder[:1](torch.empty(2, 8)).shape == (2, 1024, 7, 7)
        assert celeba().encoder[:4](torch.empty(2, 3, 64, 64)).shape == (2, 1024, 4, 4)
        assert celeba().decoder[:1](torch.empty(2, 64)).shape == (2, 1024, 8, 8)


@pytest.mark.parametrize("size", [(28, 28), (64, 64), (32, 32), (8, 12), (9, 7), (65, 33), (50, 127), (1, 1)])
@pytest.mark.parametrize("kernel", [1, 4, 5])
@pytest.mark.parametrize("width", [1 / 8, 1 / 16, 1e-3])
def test_any_image_comes_back_at_its_own_size(size, kernel, width):
    nets = conv((3, *size), 2, latent=5, filters=(16, 32, 64), kernel=kernel, width=width, output="tanh")
    numbers = nets.encoder(torch.rand(2, 3, *size))
    assert numbers.shape == (2, 10)
    assert nets.decoder(numbers[:, :5]).shape == (2, 3, *size)


def test_width_scales_every_filter():
    assert [block[-2].num_features for block in mnist(1 / 8).encoder[:4]] == [16, 32, 64, 128]
    assert [block[-2].num_features for block in mnist(1 / 16).encoder[:4]] == [8, 16, 32, 64]


def test_halvings():
    assert [halvings(size) for size in ((28, 28), (64, 64), (8, 12), (7, 8))] == [2, 6, 2, 0]
    # No side of the first maps is above 8, though the sides do not halve: 65 -> 33 -> 17 -> 9 -> 5.
    assert [halvings((side, side)) for side in (9, 17, 27, 30, 33, 65)] == [1, 2, 2, 2, 3, 4]
    assert halvings((65, 8)) == 4


def decoder(side: int, channels: int = 3) -> nn.Module:
    return conv((channels, side, side), 1, latent=64, filters=FILTERS, kernel=5, output="tanh").decoder


def test_a_side_that_does_not_halve_has_nearly_the_network_of_its_neighbour():
    """Before, a decoder of 65 pixels had 281 million parameters and upsampled never."""
    with torch.device("meta"):
        assert count(decoder(64)) == 21_475_331
        assert decoder(65)[:1](torch.empty(2, 64)).shape == (2, 1024, 9, 9)
        # Only the first layer is larger: a bias and 64 weights for each of (81 - 64) * 1024 numbers more.
        assert count(decoder(65)) == 21_475_331 + 65 * 17 * 1024
        assert [len(decoder(side)) for side in (63, 64, 65)] == [5, 5, 5]


@pytest.mark.parametrize("kernel", [1, 3, 4, 5])
def test_decoders_grow_with_the_side_and_never_jump(kernel):
    """A decoder's first maps are at most 8 pixels or, with every upsampling used, an eighth of a side."""
    with torch.device("meta"):
        for side in range(1, 140):
            nets = conv((1, side, side), 1, latent=2, filters=FILTERS, kernel=kernel, output="tanh")
            first = nets.decoder[:1](torch.empty(2, 2)).shape[-1]
            assert first <= max(8, math.ceil(side / 8))
            assert nets.decoder(torch.empty(2, 2)).shape == (2, 1, side, side)


@pytest.mark.parametrize(
    ("side", "first", "blocks"), [(4, 1, 4), (8, 1, 5), (12, 3, 4), (28, 7, 4), (32, 4, 5), (96, 12, 5)]
)
def test_sides_that_halve_keep_their_network(side, first, blocks):
    with torch.device("meta"):
        assert decoder(side)[:1](torch.empty(2, 64)).shape == (2, 1024, first, first)
        assert len(decoder(side)) == blocks


# ---- TensorFlow's SAME padding ----


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        (28, 4, 2, (1, 1)),
        (7, 4, 2, (1, 2)),
        (28, 4, 1, (1, 2)),
        (64, 5, 2, (1, 2)),
        (7, 5, 2, (2, 2)),
        (28, 5, 1, (2, 2)),
        (5, 1, 2, (0, 0)),
    ],
)
def test_same_padding_is_tensorflows(size, kernel, stride, padding):
    assert same_padding(size, kernel, stride) == padding


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [6, 7])
def test_same_convolution_by_its_definition(kernel, stride, size):
    layers, (smaller, _) = same_convolution((size, size), 1, 1, kernel, stride)
    initialise(module := nn.Sequential(*layers).double(), torch.Generator().manual_seed(0))
    x = torch.randn(size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    before, _ = same_padding(size, kernel, stride)
    weight = module[-1].weight[0, 0]
    expected = torch.zeros(smaller, smaller, dtype=torch.float64)
    for i in range(smaller):
        for j in range(smaller):
            for a in range(kernel):
                for b in range(kernel):
                    u, v = i * stride + a - before, j * stride + b - before
                    if 0 <= u < size and 0 <= v < size:
                        expected[i, j] += weight[a, b] * x[u, v]
    assert_close(module(x[None, None])[0, 0], expected)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("cut", [0, 1])
def test_same_transposed_is_the_adjoint_of_same_convolution(kernel, stride, cut):
    large = 8 * stride - cut, 6 * stride
    small = math.ceil(large[0] / stride), 6
    down = nn.Sequential(*same_convolution(large, 2, 3, kernel, stride)[0]).double()
    up = nn.Sequential(*same_transposed(large, 3, 2, kernel, stride)).double()
    with torch.no_grad():
        down[-1].bias.zero_()
        up[0].bias.zero_()
        up[0].weight.copy_(down[-1].weight)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 2, *large, dtype=torch.float64, generator=generator)
    y = torch.randn(1, 3, *small, dtype=torch.float64, generator=generator)
    assert_close((down(x) * y).sum(), (x * up(y)).sum())


def test_a_transposed_convolution_of_kernel_5_does_not_shift_by_a_pixel():
    up = nn.Sequential(*same_transposed((16, 16), 1, 1, 5, 2))
    nn.init.ones_(up[0].weight)
    nn.init.zeros_(up[0].bias)
    dot = torch.zeros(1, 1, 8, 8)
    dot[..., 3, 4] = 1
    lit = up(dot)[0, 0].nonzero()
    # Output u sees input i where u = 2i + a - 1, a = 0..4: TensorFlow crops one pixel before, two after.
    assert (lit.min(0).values.tolist(), lit.max(0).values.tolist()) == ([5, 7], [9, 11])


# ---- initial weights ----


def test_initial_weights_have_the_authors_distribution():
    module = nn.Sequential(nn.Conv2d(64, 64, 5), nn.Linear(500, 500), nn.ConvTranspose2d(64, 64, 5))
    initialise(module, torch.Generator().manual_seed(0))
    convolution, linear, transposed = (part.weight for part in module)
    # N(0, 1) cut off at 2 has variance 1 - 4 phi(2) / erf(sqrt 2).
    cut = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))
    assert_close(convolution.std().item(), 0.01 * cut, rtol=0.01, atol=0)
    assert convolution.abs().max() <= 0.02
    assert_close(linear.std().item(), 0.01, rtol=0.01, atol=0)
    assert_close(transposed.std().item(), 0.01, rtol=0.01, atol=0)
    assert linear.abs().max() > 0.02
    assert not any(part.bias.any() for part in module)


def test_initial_weights_depend_on_the_generator_alone():
    modules = [mlp((1, 2, 2), 1, latent=2, layers=1, units=4, output="sigmoid").encoder for _ in range(3)]
    for seed, module in zip((5, 5, 6), modules):
        initialise(module, torch.Generator().manual_seed(seed))
    first, same, other = (torch.cat([p.flatten() for p in module.parameters()]) for module in modules)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_the_truncated_normal_has_its_distribution():
    draws = truncated_normal(torch.empty(400_000, dtype=torch.float64), torch.Generator().manual_seed(0))
    assert draws.abs().max() <= 2
    # P(X < -1) = (Phi(-1) - Phi(-2)) / (1 - 2 Phi(-2)) = 0.14237
    assert_close((draws < -1).double().mean().item(), 0.14237, rtol=0, atol=0.002)
    assert abs(draws.mean().item()) < 0.005


# ---- pixel ranges ----


@pytest.mark.parametrize(("name", "low"), [("sigmoid", 0.0), ("tanh", -1.0)])
def test_an_output_says_the_same_in_its_range_and_in_zero_to_one(name, low):
    output = OUTPUTS[name]
    raw = torch.linspace(-5, 5, 101, dtype=torch.float64)
    pixels = output.pixels(raw)
    assert_close(output.scale(pixels), output.activate(raw))
    assert_close(torch.logit(pixels), output.logits(raw))
    assert_close(output.scale(torch.tensor([0.0, 1.0])), torch.tensor([low, 1.0]))
    assert_close(output.pixels(torch.tensor([-1e4, 1e4])), torch.tensor([0.0, 1.0]))


# ---- batch norm ----


def test_one_image_alone_equals_the_same_image_in_a_batch_of_100():
    nets = mnist(1 / 16)
    x = torch.rand(100, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    nets.decoder.train()(nets.encoder.train()(x))  # running statistics that are not those of the batch
    for network, batch in ((nets.encoder.eval(), x), (nets.decoder.eval(), nets.encoder(x))):
        assert_close(network(batch[:1]), network(batch)[:1])


def test_running_statistics_keep_nine_tenths_of_the_past():
    block = mnist(1 / 16).encoder[0].train()
    x, y = torch.rand(2, 10, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    of_x, of_y = (block[:-2](images).mean((0, 2, 3)) for images in (x, y))
    for _ in range(10):
        block(x)
    assert_close(block[-2].running_mean, of_x)  # the first ten batches count alike: momentum 1 / t
    block(y)
    assert_close(block[-2].running_mean, 0.9 * of_x + 0.1 * of_y)
    assert block[-2].eps == 1e-5
