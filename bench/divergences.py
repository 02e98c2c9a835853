"""Time of each divergence beside POT, geomloss or plain torch in one process: `python bench/divergences.py [options]`.

Every row is one task at one size: our milliseconds, each reference's, and the ratio of the fastest reference to ours
(above 1: ours is faster). Where neither library has the divergence, the reference is its formula in plain torch: all
pairs by `cdist`, all slices by einsum and `sort`, all monomials by indexing. POT's Sinkhorn divergence is left out
above n = 1000, where it takes minutes.

Where the ratio is below 1 the task is not the same:
    max sliced   ours ascends to the best slice; POT's takes the best of 50 random ones. `--accuracy` prints both.
    bures        ours takes the singular values of a product of roots: its gradient is zero at equal covariances, where
                 POT's is NaN, and of order 1 at singular ones, where POT's is 1e6.
    sinkhorn     geomloss stops after some 5 steps; ours after 10, nearer to the limit (`--accuracy` prints both).
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement

import numpy as np
import ot
import torch
from geomloss import SamplesLoss
from torch import Tensor
from torch.nn import functional as F

from wae import divergences as D

SLICES = 50
SIZES = [(n, d) for n in (100, 500, 1000, 5000) for d in (8, 64)]
Run = Callable[[], object]


def milliseconds(run: Run, budget: float = 0.4) -> float:
    """The shortest of as many runs as fit in `budget` seconds, at least one after a warm-up."""
    begin = time.perf_counter()
    run()
    spent, times = time.perf_counter() - begin, []
    while not times or spent + times[-1] < budget:
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
        spent += times[-1]
    return 1e3 * min(times)


def sample(n: int, d: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(n + d)
    return 1.3 * torch.randn(n, d, generator=generator) + 0.2, torch.randn(n, d, generator=generator)


def tasks(x: Tensor, y: Tensor, gradient: bool) -> Iterator[tuple[str, Run, dict[str, Run]]]:
    """Name, ours, references. With `gradient` all take torch tensors and go back to x; NumPy's have none."""
    for make in (kernels, sliced, generalised, maximum, gaussians, entropic, critic):
        for name, ours, references in make(x, y):
            kept = {k: v for k, v in references.items() if not (gradient and "numpy" in k)}
            back = {k: backward(v, x) if gradient else v for k, v in kept.items()}
            yield name, backward(ours, x) if gradient else ours, back


def backward(run: Run, x: Tensor) -> Run:
    def both() -> object:
        value = run()
        assert isinstance(value, Tensor)
        return torch.autograd.grad(value.sum(), x)

    return both


Tasks = Iterator[tuple[str, Run, dict[str, Run]]]


def kernels(x: Tensor, y: Tensor) -> Tasks:
    blur = math.sqrt(x.shape[1])
    losses = [SamplesLoss("gaussian", blur=blur * math.sqrt(s), backend="tensorized") for s in D.SCALES]
    one = SamplesLoss("gaussian", blur=blur, backend="tensorized")
    yield "mmd rbf", lambda: D.mmd(x, y, "rbf", (1.0,)), {"geomloss": lambda: one(x, y)}
    seven = {"geomloss": lambda: sum(loss(x, y) for loss in losses)}
    yield "mmd rbf, 7 scales", lambda: D.mmd(x, y, "rbf"), seven
    yield "mmd imq, 7 scales", lambda: D.mmd(x, y), {"torch": lambda: imq(x, y, whole=True)}
    yield "mmd imq, unbiased", lambda: D.mmd_unbiased(x, y), {"torch": lambda: imq(x, y, whole=False)}


def imq(x: Tensor, y: Tensor, whole: bool) -> Tensor:
    """The sum over seven scales by `cdist`; the cross term over all pairs or over those of different index."""
    n, off = len(x), ~torch.eye(len(x), dtype=torch.bool)

    def mean(a: Tensor, b: Tensor, whole: bool) -> Tensor:
        r = torch.cdist(a, b).square()
        values = torch.stack([1 / (1 + r / (2 * x.shape[1] * s)) for s in D.SCALES]).sum(0)
        return values.mean() if whole else (values * off).sum() / (n * (n - 1))

    return mean(x, x, whole=False) + mean(y, y, whole=False) - 2 * mean(x, y, whole)


def sliced(x: Tensor, y: Tensor) -> Tasks:
    theta = D.random_directions(SLICES, x.shape[1], torch.Generator().manual_seed(0))
    a, b, t, u = x.detach().numpy(), y.numpy(), theta.T.numpy(), theta.T.contiguous()
    references = {
        "pot numpy": lambda: ot.sliced_wasserstein_distance(a, b, projections=t),
        "pot torch": lambda: ot.sliced_wasserstein_distance(x, y, projections=u),
    }
    one = {"pot numpy": lambda: ot.wasserstein_1d(a, b, p=2), "pot torch": lambda: ot.wasserstein_1d(x, y, p=2)}
    yield "wasserstein_1d", lambda: D.wasserstein_1d(x, y), one
    yield "sliced", lambda: D.sliced_wasserstein(x, y, theta), references


def generalised(x: Tensor, y: Tensor) -> Tasks:
    if len(x) <= 1000 or x.shape[1] <= 8:  # 10,000 points of 45,760 monomials are 1.8 GB, several times over
        yield families(x, y, "polynomial")
    for name in ("circular", "neural"):
        yield families(x, y, name)


def families(x: Tensor, y: Tensor, name: str) -> tuple[str, Run, dict[str, Run]]:
    of = D.DEFINING[name]()
    theta = D.random_directions(SLICES, of.size(x.shape[1]), torch.Generator().manual_seed(0))
    monomials = (
        torch.tensor(list(combinations_with_replacement(range(x.shape[1]), 3))) if name == "polynomial" else None
    )

    def values(s: Tensor) -> Tensor:
        if monomials is not None:
            return s[:, monomials].prod(-1) @ theta.T
        if name == "circular":
            return torch.cdist(s, theta)
        inner, outer = theta[:, :-8].view(SLICES, 8, -1), theta[:, -8:]
        return torch.einsum("nku,ku->nk", F.leaky_relu(torch.einsum("nd,kud->nku", s, inner), 0.2), outer)

    plain = lambda: (values(x).sort(0).values - values(y).sort(0).values).square().mean()
    return name, lambda: D.generalized_sliced_wasserstein(x, y, theta, of), {"torch": plain}


def maximum(x: Tensor, y: Tensor) -> Tasks:
    a, b = x.detach().numpy(), y.numpy()
    draws = {"n_projections": SLICES, "seed": 0}
    references = {
        "pot numpy, best of 50 draws": lambda: ot.max_sliced_wasserstein_distance(a, b, **draws),
        "pot torch, best of 50 draws": lambda: ot.max_sliced_wasserstein_distance(x, y, **draws),
    }
    yield "max sliced", lambda: D.max_sliced_wasserstein(x, y), references
    yield "max circular", lambda: D.max_generalized_sliced_wasserstein(x, y), {"torch": lambda: ascended(x, y)}


def ascended(x: Tensor, y: Tensor, starts: int = 16, steps: int = 10) -> Tensor:
    """The best of as many circular slices as ours holds after as many steps of Adam, the usual way."""
    theta = torch.randn(starts, x.shape[1], generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimizer = torch.optim.Adam([theta], lr=0.1, maximize=True)

    def values(a: Tensor) -> Tensor:
        unit = F.normalize(theta)
        return (torch.cdist(a, unit).sort(0).values - torch.cdist(y, unit).sort(0).values).square().mean(0)

    for _ in range(steps):
        optimizer.zero_grad()
        values(x.detach()).sum().backward()
        optimizer.step()
    return values(x).max()


def gaussians(x: Tensor, y: Tensor) -> Tasks:
    a, b = x.detach().numpy(), y.numpy()
    moments = lambda s: (s.mean(0), torch.cov(s.T))
    by_pot = lambda s: (s.mean(0), np.cov(s.T))

    def reference(take: Callable[[object], tuple[object, object]], s: object, t: object) -> object:
        (m, c), (k, e) = take(s), take(t)
        return ot.gaussian.bures_wasserstein_distance(m, k, c, e)

    references = {"pot numpy": lambda: reference(by_pot, a, b), "pot torch": lambda: reference(moments, x, y)}

    def ours() -> Tensor:
        (m, c), (k, e) = moments(x), moments(y)
        return D.bures_wasserstein(m, c, k, e)

    yield "bures", ours, references
    yield "bures to prior", lambda: D.bures_to_prior(x), references


def entropic(x: Tensor, y: Tensor) -> Tasks:
    epsilon = 0.1 * x.shape[1]
    loss = SamplesLoss("sinkhorn", p=2, blur=math.sqrt(epsilon / 2), scaling=0.5, backend="tensorized")
    references: dict[str, Run] = {"geomloss": lambda: loss(x, y)}
    if len(x) <= 1000:
        options = {"reg": epsilon, "method": "sinkhorn_log", "numIterMax": 20, "stopThr": 0.0}
        references["pot torch"] = lambda: ot.bregman.empirical_sinkhorn_divergence(x, y, **options)
    yield "sinkhorn, 10 steps", lambda: D.sinkhorn_divergence(x, y, epsilon), references


def critic(x: Tensor, y: Tensor) -> Tasks:
    bce = F.binary_cross_entropy_with_logits
    ones, zeros = torch.ones_like(x), torch.zeros_like(y)
    plain = lambda: math.log(2) - (bce(x, ones) + bce(y, zeros)) / 2
    yield "jensen-shannon, n d logits", lambda: D.jensen_shannon(x, y), {"torch": plain}


def heights() -> None:
    """Where ascents end: the largest W_2^2 of a slice by ours, as trained, and by the best of POT's random draws."""
    for d in (8, 64):
        x, y = sample(5000, d)
        x[:, 0] += 5
        draws = [ot.max_sliced_wasserstein_distance(x, y, n_projections=k, seed=0) ** 2 for k in (50, 1000)]
        listed = f"best of 50 draws {float(draws[0]):.3f}, of 1000 {float(draws[1]):.3f}"
        print(
            f"max sliced, n = 5000, d = {d}, means 5 apart: ours {float(D.max_sliced_wasserstein(x, y)):.3f}, {listed}"
        )


def accuracy() -> None:
    """Relative errors of the Sinkhorn divergence, ours and geomloss's default, against many steps in float64."""
    for n, d, of in ((200, 8, 0.01), (200, 64, 0.01), (200, 8, 1), (200, 64, 1), *((n, d, 0.1) for n, d in SIZES[:6])):
        x, y = (s.double() for s in sample(n, d))
        exact = D.sinkhorn_divergence(x, y, of * d, steps=3000 if n < 500 else 600)
        loss = SamplesLoss("sinkhorn", p=2, blur=math.sqrt(of * d / 2), scaling=0.5, backend="tensorized")
        values = {"geomloss": 2 * loss(x, y)}
        values |= {f"{steps} steps": D.sinkhorn_divergence(x, y, of * d, steps=steps) for steps in (3, 5, 10)}
        errors = ", ".join(f"{k} {abs(float(v / exact) - 1):.0e}" for k, v in values.items())
        print(f"sinkhorn's relative error, n = {n}, d = {d}, epsilon = {of * d:g}: {errors}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gradient", action="store_true", help="time the value and its gradient in x")
    parser.add_argument("--quick", action="store_true", help="n = 100 and 500 only")
    parser.add_argument("--accuracy", action="store_true", help="no times: errors and heights instead")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, POT {ot.__version__}, one thread, float32, gradient: {options.gradient}")
    if options.accuracy:
        accuracy()
        heights()
        return
    print(f"{'divergence':26}{'n':>6}{'d':>4}{'ours ms':>10}{'ratio':>8}  references, ms")
    for n, d in SIZES[:4] if options.quick else SIZES:
        x, y = sample(n, d)
        for name, ours, references in tasks(x.requires_grad_(options.gradient), y, options.gradient):
            mine = milliseconds(ours)
            theirs = {k: milliseconds(run) for k, run in references.items()}
            listed = ", ".join(f"{k} {v:.3f}" for k, v in theirs.items())
            print(f"{name:26}{n:>6}{d:>4}{mine:>10.3f}{min(theirs.values()) / mine:8.2f}  {listed}", flush=True)


if __name__ == "__main__":
    main()
