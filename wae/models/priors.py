"""P_Z: the distributions that codes should match and that images are generated from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from wae.config.types import Positive, Several
from wae.divergences import random_directions
from wae.errors import UserError


class Prior(nn.Module, ABC):
    """A distribution over codes of `dimension` d; `variance` is the mean variance of its coordinates.

    `gaussian` says whether it is N(0, variance I).
    """

    dimension: int
    variance: float
    gaussian: ClassVar[bool] = False

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""


class Gaussian(Prior):
    """N(0, variance I).

    Args:
        variance: sigma^2 of every coordinate; the WAE paper uses 1 on MNIST, its code 1 on CelebA.
    """

    gaussian: ClassVar[bool] = True

    def __init__(self, dimension: int, *, variance: Positive) -> None:
        super().__init__()
        self.dimension = dimension
        self.variance = variance

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""
        noise = torch.randn(n, self.dimension, generator=generator, device=generator.device)
        return noise.mul_(self.variance**0.5)


class Cube(Prior):
    """Uniform on [-radius, radius]^d; a coordinate's variance is radius^2 / 3.

    Args:
        radius: half an edge; sqrt(3) for unit variance.
    """

    def __init__(self, dimension: int, *, radius: Positive) -> None:
        super().__init__()
        self.dimension, self.radius = dimension, radius
        self.variance = radius**2 / 3

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""
        uniform = torch.rand(n, self.dimension, generator=generator, device=generator.device)
        return uniform.mul_(2).sub_(1).mul_(self.radius)


class Sphere(Prior):
    """Uniform on the sphere |z| = radius; a coordinate's variance is radius^2 / d.

    Args:
        radius: sqrt(d) for unit variance.
    """

    def __init__(self, dimension: int, *, radius: Positive) -> None:
        super().__init__()
        self.dimension, self.radius = dimension, radius
        self.variance = radius**2 / dimension

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""
        return self.radius * random_directions(n, self.dimension, generator)


class Ball(Prior):
    """Uniform in the ball |z| <= radius; a coordinate's variance is radius^2 / (d + 2).

    Args:
        radius: sqrt(d + 2) for unit variance.
    """

    def __init__(self, dimension: int, *, radius: Positive) -> None:
        super().__init__()
        self.dimension, self.radius = dimension, radius
        self.variance = radius**2 / (dimension + 2)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""
        return _shell(n, self.dimension, 0.0, self.radius, generator)


class Ring(Prior):
    """Uniform between two spheres, inner <= |z| <= outer: a ring in the plane, a shell in space.

    A coordinate's variance is (outer^(d+2) - inner^(d+2)) / (outer^d - inner^d) / (d + 2).

    Args:
        inner: radius of the hole.
        outer: outer radius, larger than `inner`.
    """

    def __init__(self, dimension: int, *, inner: Positive, outer: Positive) -> None:
        super().__init__()
        if inner >= outer:
            raise UserError(f"prior ring has inner {inner} and outer {outer}; inner is the smaller one")
        self.dimension, self.inner, self.outer = dimension, inner, outer
        hole = inner / outer
        self.variance = outer**2 * (1 - hole ** (dimension + 2)) / (1 - hole**dimension) / (dimension + 2)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""
        return _shell(n, self.dimension, self.inner, self.outer, generator)


class Mixture(Prior):
    """Equal parts of N(m_k, variance I); the means m_k are evenly spaced on a circle in the first two coordinates.

    The circle adds radius^2 / 2 to the variance of each of the first two coordinates, on average over the two. So the
    attribute `variance`, the average over d coordinates, is the option `variance` + radius^2 / d.

    Args:
        components: how many, at least two.
        radius: radius of the circle of means.
        variance: variance of each coordinate within a component.
    """

    means: Tensor

    def __init__(self, dimension: int, *, components: Several, radius: Positive, variance: Positive) -> None:
        super().__init__()
        if components < 2 or dimension < 2:
            raise UserError(
                f"prior mixture has {components} components in {dimension} dimensions; it needs two of each"
            )
        self.dimension, self.within = dimension, variance
        self.variance = variance + radius**2 / dimension
        angles = torch.arange(components, dtype=torch.float64) * (2 * math.pi / components)
        circle = radius * torch.stack([angles.cos(), angles.sin()], 1)
        means = torch.cat([circle, circle.new_zeros(components, dimension - 2)], 1)
        self.register_buffer("means", means.float(), persistent=False)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""
        chosen = torch.randint(len(self.means), (n,), generator=generator, device=generator.device)
        noise = torch.randn(n, self.dimension, generator=generator, device=generator.device)
        return noise.mul_(self.within**0.5).add_(self.means[chosen])


def _shell(n: int, d: int, inner: float, outer: float, generator: torch.Generator) -> Tensor:
    """(n, d) uniform draws with inner <= |z| <= outer: |z|^d is uniform."""
    directions = random_directions(n, d, generator)
    uniform = torch.rand(n, 1, generator=generator, device=generator.device)
    hole = (inner / outer) ** d  # in units of `outer`, so that no power overflows
    return directions * (outer * (hole + (1 - hole) * uniform) ** (1 / d))


PRIORS = {
    "gaussian": Gaussian,
    "cube": Cube,
    "sphere": Sphere,
    "ball": Ball,
    "ring": Ring,
    "mixture": Mixture,
}
