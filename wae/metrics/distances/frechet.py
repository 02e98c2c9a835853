"""The Frechet distance of two samples' Gaussians (Dowson and Landau 1982; Heusel et al. 2017, eq. 6), in float64.

With any factors A^T A = S_x and B^T B = S_y, tr (S_x S_y)^(1/2) is the sum of the singular values of A B^T. No root of
a matrix is taken, and fewer samples than dimensions are no special case: the centred samples themselves are a factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from wae.metrics.checks import Features, Matrix, matrix, same_width

# Eigenvalues are right to about eps * the largest, so their roots only to eps * sqrt(largest / smallest): 2e-10 here.
SMALLEST_EIGENVALUE = 1e-12
NEGATIVE = 1e-5  # a covariance of float32 may have such eigenvalues, as a share of its largest


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean m (d,) and centred samples A (n, d) with A^T A = S, the unbiased covariance; factored at most once."""

    mean: Matrix
    rows: Matrix

    @classmethod
    def of(cls, features: Features, name: str = "features") -> Gaussian:
        """The Gaussian of `features` (n, d), e.g. of a reference that many samples are compared with."""
        x = matrix(features, name)
        mean = x.mean(axis=0)
        return cls(mean, (x - mean) / np.sqrt(len(x) - 1))

    @classmethod
    def with_moments(cls, mean: Matrix, covariance: Matrix) -> Gaussian:
        """The Gaussian of a mean (d,) and a covariance (d, d), e.g. of features that somebody else computed.

        Raises:
            ValueError: shapes do not fit, a value is not finite, or the covariance has a negative eigenvalue.
        """
        if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
            raise ValueError(f"mean and covariance are {mean.shape} and {covariance.shape}; expected (d,) and (d, d)")
        symmetric = (covariance + covariance.T) / 2.0
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ValueError("a mean or covariance has values that are not finite")
        eigenvalues, vectors = linalg.eigh(symmetric)
        if eigenvalues[0] < -NEGATIVE * max(eigenvalues[-1], 0.0) or not np.allclose(covariance, symmetric):
            raise ValueError("a covariance is not symmetric or has a negative eigenvalue, so it is none")
        return cls(mean, np.sqrt(eigenvalues.clip(0.0))[:, None] * vectors.T)

    @property
    def full_rank(self) -> bool:
        """Whether n > d, so that S can be invertible."""
        return len(self.rows) > len(self.mean)

    @cached_property
    def trace(self) -> float:
        """Tr S."""
        return float(np.square(self.rows).sum())

    @cached_property
    def covariance(self) -> Matrix:
        """S (d, d)."""
        product: Matrix = self.rows.T @ self.rows
        return product

    @cached_property
    def cholesky(self) -> Matrix | None:
        """Upper U (d, d) with U^T U = S; None where S is singular."""
        try:
            upper: Matrix = linalg.cholesky(self.covariance)
        except linalg.LinAlgError:
            return None
        return upper

    @cached_property
    def factor(self) -> Matrix:
        """R (min(n, d), d) with R^T R = S, without ever forming S: QR of the rows, or the rows where they are few."""
        if not self.full_rank:
            return self.rows
        upper: Matrix = linalg.qr(self.rows, mode="r", check_finite=True)[0][: self.rows.shape[1]]
        return upper


def root_trace_by_cholesky(x: Gaussian, y: Gaussian) -> float | None:
    """Tr (S_x S_y)^(1/2) from the eigenvalues of U_y S_x U_y^T; None where they are too small to be trusted."""
    if y.cholesky is None:
        return None
    eigenvalues = linalg.eigvalsh(y.cholesky @ x.covariance @ y.cholesky.T)
    if not eigenvalues[0] > SMALLEST_EIGENVALUE * eigenvalues[-1]:
        return None
    return float(np.sqrt(eigenvalues).sum())


def root_trace_by_svd(x: Gaussian, y: Gaussian) -> float:
    """Tr (S_x S_y)^(1/2) from the singular values of R_x R_y^T; right for singular covariances too."""
    return float(linalg.svdvals(x.factor @ y.factor.T).sum())


def frechet_distance(x: Features | Gaussian, y: Features | Gaussian) -> float:
    """|m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)) of features (n, d) and (m, d), any n, m >= 2.

    Covariances are unbiased, the distance is not: it is too large at small n. Rounding below 0 counts as 0.
    `Gaussian.of(reference)` in place of `y` factors a reference once for many `x`.

    Raises:
        ValueError: fewer than two samples, different dimensions, or a value that is not finite.
    """
    first = x if isinstance(x, Gaussian) else Gaussian.of(x, "the first features")
    second = y if isinstance(y, Gaussian) else Gaussian.of(y, "the second features")
    same_width(len(first.mean), len(second.mean))
    root = root_trace_by_cholesky(first, second) if first.full_rank and second.full_rank else None
    if root is None:
        root = root_trace_by_svd(first, second)
    difference = float(np.square(first.mean - second.mean).sum())
    return max(0.0, difference + first.trace + second.trace - 2.0 * root)
