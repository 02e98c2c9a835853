"""The slice with the largest distance between two samples, found by ascent on the unit sphere."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from wae.divergences.projections import Defining, Linear
from wae.divergences.sliced import defined, generalized_sliced_wasserstein, slices


def max_sliced_wasserstein(x: Tensor, y: Tensor, p: float = 2, starts: int = 8, steps: int = 10) -> Tensor:
    """max-SW_p^p (Deshpande et al. 2019): W_p^p along the best direction, without a root.

    Its gradient holds the best direction fixed (envelope theorem). Arguments as in `steepest`.
    """
    return max_generalized_sliced_wasserstein(x, y, Linear(), p, starts, steps)


def max_generalized_sliced_wasserstein(
    x: Tensor,
    y: Tensor,
    defining: str | Defining = "circular",
    p: float = 2,
    starts: int = 8,
    steps: int = 10,
    directions: Tensor | None = None,
) -> Tensor:
    """max-GSW_p^p (Kolouri et al. 2019b): W_p^p of the best slice g(x, theta), |theta| = 1, without a root.

    Arguments as in `steepest`.
    """
    theta = steepest(x, y, defining, p, starts, steps, directions)
    return generalized_sliced_wasserstein(x, y, theta, defining, p)


@torch.no_grad()
def steepest(
    x: Tensor,
    y: Tensor,
    defining: str | Defining = "linear",
    p: float = 2,
    starts: int = 8,
    steps: int = 10,
    directions: Tensor | None = None,
) -> Tensor:
    """Parameters (1, size) of the slice with the largest W_p^p found by ascent; no draws, no host synchronisation.

    Starts are `leading_directions`, which find a shift and an unequal variance. For differences that moments do not
    show, pass your own starts. At n = 5000, d = 64, two steps come within 3% of the samples' own best slice in both
    cases; sampling alone moves that slice's distance by 0.4 for a true 16. The best direction also fits noise. At
    n = 100, d = 64 its distance averages 1.44 for equal Gaussians, 26.1 for a true 25, 17.4 for a true 16; at n = 5000
    the first is 0.028. Memory is that of one slice per start, time that of `steps` + 1 slices per start.

    Args:
        x: (n, d).
        y: (m, d).
        defining: as in `generalized_sliced_wasserstein`.
        p: order of the distance.
        starts: how many leading directions to start from.
        steps: ascent steps, the same for all starts at once.
        directions: more starts, unit rows (k, size), e.g. the last round's result or random ones.
    """
    project = defined(defining)
    theta = project.lift(leading_directions(x, y, starts))
    if directions is not None:
        theta = torch.cat([theta, directions.to(theta)])
    theta, values = ascend(x, y, theta, project, p, steps)
    return theta[values.argmax(0, keepdim=True)]


@torch.no_grad()
def ascend(
    x: Tensor, y: Tensor, theta: Tensor, defining: str | Defining = "linear", p: float = 2, steps: int = 10
) -> tuple[Tensor, Tensor]:
    """Slices (k, size) and their W_p^p (k,) after `steps` steps of ascent from `theta`, each slice alone; never worse.

    A step follows the gradient divided by p W_p^p, which has no unit, and returns to the unit sphere. At rate 1 and
    p = 2 on linear slices it is a power iteration on the second moment of the coupled differences. A step that lowers
    W_p^p is undone and the rate reduced; otherwise the rate grows.
    """
    theta, rate = F.normalize(theta.to(x.dtype)), torch.ones_like(theta[:, :1], dtype=x.dtype)
    values, uphill = _slope(x, y, theta, defining, p)
    for _ in range(steps):
        moved = F.normalize(theta + rate * uphill)
        reached, onward = _slope(x, y, moved, defining, p)
        higher = reached >= values
        values, rate = torch.where(higher, reached, values), rate * torch.where(higher, 1.5, 0.3)[:, None].to(rate)
        theta, uphill = (torch.where(higher[:, None], a, b) for a, b in ((moved, theta), (onward, uphill)))
    return theta, values


@torch.no_grad()
def leading_directions(x: Tensor, y: Tensor, k: int = 8, rounds: int = 4) -> Tensor:
    """Unit rows (at most k, d): the difference of the means, then leading eigenvectors of the covariances' difference.

    The eigenvectors come from `rounds` of subspace iteration by QR: approximate, without the d x d matrix and, unlike
    an eigenvalue solver, without a host synchronisation. Memory: 2 (n + m) (d + k) numbers.
    """
    shift = x.mean(0) - y.mean(0)
    u, v = x - x.mean(0), y - y.mean(0)
    basis = torch.cat([u[:k], v[:k]]).T
    for _ in range(rounds):
        basis = torch.linalg.qr(basis).Q
        image = u.T @ (u @ basis) / len(u) - v.T @ (v @ basis) / len(v)
        basis, previous = image, basis
    strength = (previous * image).sum(0).abs()
    best = strength.topk(min(k - 1, len(strength))).indices
    return torch.cat([F.normalize(shift, dim=0)[None], previous.T[best]])


def _slope(x: Tensor, y: Tensor, theta: Tensor, defining: str | Defining, p: float) -> tuple[Tensor, Tensor]:
    """W_p^p of each slice (k,) and its gradient along the sphere divided by p W_p^p (k, size)."""
    with torch.enable_grad():
        theta = theta.detach().requires_grad_()
        values = slices(x.detach(), y.detach(), theta, defining, p)
        (gradient,) = torch.autograd.grad(values.sum(), theta)
    values = values.detach()
    gradient = gradient - (gradient * theta).sum(1, keepdim=True) * theta
    # Where the samples agree, both are zero: adding the smallest number makes the step zero, not 0 / 0.
    return values, (gradient / (p * values + torch.finfo(x.dtype).tiny)[:, None]).detach()
