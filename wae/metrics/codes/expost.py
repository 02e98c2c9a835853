"""Ex-post density (Ghosh et al. 2020, section 4): a mixture fitted to codes makes any auto-encoder a generator."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture over codes: weights (k,), means (k, d) and lower Cholesky factors (k, d, d) of covariances."""

    weights: Tensor
    means: Tensor
    factors: Tensor

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) independent draws, on the generator's device."""
        chosen = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, self.means.shape[1], 1, generator=generator, device=generator.device)
        return self.means[chosen] + (self.factors[chosen] @ noise).squeeze(-1)


def fit_mixture(codes: Tensor, components: int, seed: int) -> Mixture:
    """The mixture with full covariances that EM fits to `codes` (n, d), from k-means; n is at least `components`.

    1e-6 is added to the variances, so codes that collapsed to fewer dimensions also have a density.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    of = GaussianMixture(components, covariance_type="full", reg_covar=1e-6, max_iter=200, random_state=seed)
    with warnings.catch_warnings():
        # Fewer distinct codes than components, or EM stopped at max_iter: a poor mixture, and its samples show it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        of.fit(codes.double().cpu().numpy())
    parts = (of.weights_, of.means_, torch.linalg.cholesky(torch.from_numpy(of.covariances_)))
    return Mixture(*(torch.as_tensor(part).to(codes.device, torch.float32) for part in parts))
