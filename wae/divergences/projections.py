"""Defining functions g(x, theta): values of a generalised slice at a point (Kolouri et al. 2019b, section 3).

Each maps points (n, d) and parameters theta (k, size(d)) of k slices, unit rows, to values (k, n), one row per slice.
`lift` gives parameters of slices that resemble the linear one along a direction: possible starts of an ascent.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from wae.config.types import Count, NonNegative, Odd, Positive
from wae.divergences.blocks import over_rows
from wae.errors import UserError


class Defining(Protocol):
    """A family of slices."""

    @property
    def held(self) -> int:
        """Numbers that one slice of one point needs at once."""

    def size(self, d: int) -> int:
        """Length of one slice's parameters for points in R^d."""

    def lift(self, directions: Tensor) -> Tensor:
        """Parameters of the slices nearest to the linear ones along `directions` (k, d); one or two rows for each."""

    def __call__(self, x: Tensor, theta: Tensor) -> Tensor:
        """Values (k, n) of k slices at n points."""


@dataclass(frozen=True)
class Linear:
    """g = <x, theta>: the Radon transform's hyperplanes, the plain sliced distance."""

    held = 1

    def size(self, d: int) -> int:
        """One weight per coordinate."""
        return d

    def lift(self, directions: Tensor) -> Tensor:
        """The directions themselves."""
        return directions

    def __call__(self, x: Tensor, theta: Tensor) -> Tensor:
        """<x, theta>, (k, n)."""
        return theta @ x.T


@dataclass(frozen=True)
class Circular:
    """g = |x - radius theta| with |theta| = 1: spheres around a point at distance `radius` from the origin.

    Args:
        radius: r, in the unit of the points; the larger it is, the more a sphere looks like a plane.
    """

    radius: Positive = 1.0
    held = 1

    def size(self, d: int) -> int:
        """One parameter per coordinate of the centre."""
        return d

    def lift(self, directions: Tensor) -> Tensor:
        """The directions and their negatives: far from the centre spheres look like planes, but curve to one side."""
        return torch.cat([directions, -directions])

    def __call__(self, x: Tensor, theta: Tensor) -> Tensor:
        """|x - radius theta|, (k, n); its gradient is 0, not NaN, at the centre."""
        return torch.cdist(self.radius * theta, x)


@dataclass(frozen=True)
class Polynomial:
    """g = sum over |alpha| = degree of theta_alpha x^alpha: all monomials of an odd degree.

    It is a linear slice of the point's C(d + degree - 1, degree) monomials: 45,760 at d = 64, degree 3. Memory: the
    monomials of 64 points, or of more where LIMIT allows; the backward pass computes them again.

    Args:
        degree: odd.
    """

    degree: Odd = 3
    held = 1

    def __post_init__(self) -> None:
        if self.degree < 1 or self.degree % 2 == 0:
            raise UserError(f"degree is {self.degree}; only odd degrees define a distance: 1, 3, 5, ...")

    def size(self, d: int) -> int:
        """One weight per monomial, in the order of `itertools.combinations_with_replacement`."""
        return math.comb(d + self.degree - 1, self.degree)

    def lift(self, directions: Tensor) -> Tensor:
        """Coefficients of <x, direction>^degree, normalised."""
        repeats = _multinomials(directions.shape[1], self.degree, directions.device)
        return F.normalize(_monomials(directions, self.degree).T * repeats.to(directions.dtype))

    def __call__(self, x: Tensor, theta: Tensor) -> Tensor:
        """Sum of theta_alpha x^alpha, (k, n)."""
        values = over_rows(lambda rows, _: theta @ _monomials(rows, self.degree), x, 2 * theta.shape[1], least=64)
        return torch.cat(values, 1)


@dataclass(frozen=True)
class Neural:
    """g = <b, lrelu(A x)>: one hidden layer of `units` leaky ReLUs without biases; theta holds A (units x d), then b.

    Memory: k * n * units activations.

    Args:
        units: number of hidden units.
        slope: slope of a unit below zero.
    """

    units: Count = 8
    slope: NonNegative = 0.2

    @property
    def held(self) -> int:
        """The activations of the hidden layer."""
        return self.units

    def size(self, d: int) -> int:
        """The number of parameters of one net: its matrix A and its bias b."""
        return self.units * (d + 1)

    def lift(self, directions: Tensor) -> Tensor:
        """Units in pairs of opposite sign, lrelu(t) - lrelu(-t) = (1 + slope) t: exactly linear for even `units`."""
        signs = torch.ones_like(directions[:, :1]).expand(-1, self.units).clone()
        signs[:, 1::2] = -1
        return F.normalize(torch.cat([(signs[:, :, None] * directions[:, None]).flatten(1), signs], 1))

    def __call__(self, x: Tensor, theta: Tensor) -> Tensor:
        """The nets' outputs, (k, n)."""
        inner, outer = theta[:, : -self.units], theta[:, -self.units :]
        hidden = F.leaky_relu(inner.reshape(-1, x.shape[1]) @ x.T, self.slope).view(len(theta), self.units, len(x))
        return (outer[:, None] @ hidden)[:, 0]


def _monomials(x: Tensor, degree: int) -> Tensor:
    """All monomials of the rows of x, (size, n), in the order of `itertools.combinations_with_replacement`.

    Each coordinate multiplies the monomials of one degree lower that start at it or later: the end of their list.
    """
    t = values = x.T.contiguous()
    d = len(t)
    for k in range(1, degree):
        values = torch.cat([t[i] * values[len(values) - math.comb(d - i + k - 1, k) :] for i in range(d)])
    return values


@cache
def _multinomials(d: int, degree: int, device: torch.device) -> Tensor:
    """How often each monomial occurs in (x_1 + ... + x_d)^degree, (size,); kept on the device."""
    factors = combinations_with_replacement(range(d), degree)
    repeats = [math.prod(math.factorial(c) for c in Counter(f).values()) for f in factors]
    return math.factorial(degree) / torch.tensor(repeats, dtype=torch.float64, device=device)


DEFINING: dict[str, type[Linear] | type[Circular] | type[Polynomial] | type[Neural]] = {
    "linear": Linear,
    "circular": Circular,
    "polynomial": Polynomial,
    "neural": Neural,
}
