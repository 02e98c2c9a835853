"""The Frechet distance beside others' on the same features in one process: `python bench/frechet.py [--quick]`.

    ours            wae.metrics.frechet_distance
    torch-fidelity  its own function, from float64 moments: the eigenvalues of the product S_x S_y
    pytorch-fid     its formula: a root of that product by scipy.linalg.sqrtm, a jitter where it fails
    scipy eigh      symmetric roots: the eigenvalues of S_x^(1/2) S_y S_x^(1/2), in float64

A reference's time holds the moments, as ours does. `off` is its relative difference from ours; at a truth of 0
(identical sets) the value itself. Where n < d, roots of rounding errors differ: ours takes no root of a matrix.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy import linalg
from torch_fidelity.metric_fid import fid_statistics_to_metric

from wae.metrics import frechet_distance

Matrix = np.ndarray
EPS = 1e-6  # pytorch-fid's jitter


def moments(x: Matrix) -> tuple[Matrix, Matrix]:
    return x.mean(axis=0), np.cov(x, rowvar=False)


def by_torch_fidelity(x: Matrix, y: Matrix) -> float:
    first, second = (dict(zip(("mu", "sigma"), moments(s), strict=True)) for s in (x, y))
    return float(fid_statistics_to_metric(first, second, False)["frechet_inception_distance"])


def by_sqrtm(x: Matrix, y: Matrix) -> float:
    (m, s), (k, t) = moments(x), moments(y)
    root = linalg.sqrtm(s @ t)
    if not np.isfinite(root).all():
        jitter = EPS * np.eye(len(s))
        root = linalg.sqrtm((s + jitter) @ (t + jitter))
    return float(((m - k) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * np.trace(root.real))


def by_symmetric_roots(x: Matrix, y: Matrix) -> float:
    (m, s), (k, t) = moments(x), moments(y)
    values, vectors = linalg.eigh(s)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    trace = np.sqrt(np.maximum(linalg.eigvalsh(root @ t @ root), 0.0)).sum()
    return float(((m - k) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * trace)


REFERENCES = {"torch-fidelity": by_torch_fidelity, "pytorch-fid": by_sqrtm, "scipy eigh": by_symmetric_roots}


def features(n: int, d: int, seed: int) -> Matrix:
    """Rows of correlated non-negative features, as a network's last layer gives them."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).standard_normal((d, d)) / np.sqrt(d)
    return np.maximum(rng.standard_normal((n, d)) @ mixing + 0.3 + 0.1 * seed, 0.0)


def cases(quick: bool) -> dict[str, tuple[Matrix, Matrix]]:
    sizes = [(100, 256), (1000, 256), (1000, 64)] if quick else [(500, 2048), (5000, 2048), (5000, 64)]
    found = {f"n={n} d={d}": (features(n, d, 1), features(n, d, 2)) for n, d in sizes}
    n, d = sizes[-1]
    x = features(n, d, 1)
    return found | {f"identical, n={n} d={d}": (x, x), f"collapsed, n={n} d={d}": (x, np.repeat(x[:1], n, axis=0))}


def timed(run: Callable[[Matrix, Matrix], float], x: Matrix, y: Matrix) -> tuple[float, float]:
    """Value and processor seconds: of one run, or the least of five where one is short."""
    seconds = []
    while not seconds or (len(seconds) < 5 and seconds[0] < 0.5):
        begin = time.process_time()
        value = run(x, y)
        seconds.append(time.process_time() - begin)
    return value, min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="d = 256 in place of 2048")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'features':26}{'method':16}{'value':>16}{'off':>10}{'seconds':>10}{'ratio':>8}")
    for name, (x, y) in cases(options.quick).items():
        ours, mine = timed(frechet_distance, x, y)
        print(f"{name:26}{'ours':16}{ours:16.9g}{'':10}{mine:10.3f}{'':8}", flush=True)
        for method, run in REFERENCES.items():
            try:
                value, theirs = timed(run, x, y)
            except (ValueError, linalg.LinAlgError) as error:
                print(f"{'':26}{method:16}fails: {error}", flush=True)
                continue
            off = abs(value / ours - 1.0) if ours > 1e-6 else abs(value)
            print(f"{'':26}{method:16}{value:16.9g}{off:10.0e}{theirs:10.3f}{theirs / mine:8.1f}", flush=True)


if __name__ == "__main__":
    main()
