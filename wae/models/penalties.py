"""D(Q_Z, P_Z): how far the codes of a batch are from the prior, unweighted; the auto-encoder holds lambda."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from wae.config.types import Count, Positive, Slice
from wae.divergences import (
    DEFINING,
    bures_to_prior,
    generalized_sliced_wasserstein,
    mmd,
    random_directions,
    sinkhorn_divergence,
    steepest,
)
from wae.errors import UserError
from wae.models import priors
from wae.models.game import Batch, Penalty, Player, Posterior
from wae.models.nets import perceptron
from wae.models.priors import Prior

NO_DENSITY = "penalty kl needs a gaussian posterior: a deterministic code is infinitely far from any prior"


class Nothing(Penalty):
    """0, for a plain auto-encoder: only the reconstruction cost determines the codes."""

    def __init__(self, prior: Prior) -> None:
        super().__init__()

    def forward(self, posterior: Posterior, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
        """Zero."""
        return posterior.sample.new_zeros(())


class Kl(Penalty):
    """Batch mean of KL(Q(Z|X) | P_Z), closed form, in nats: the VAE's (Kingma and Welling 2014, appendix B)."""

    density: ClassVar[bool] = True
    posteriors: ClassVar[tuple[str, ...]] = ("gaussian",)
    priors: ClassVar[tuple[str, ...]] = ("gaussian",)

    def __init__(self, prior: Prior) -> None:
        super().__init__()
        self.variance = gaussian_variance(prior, "kl")

    def forward(self, posterior: Posterior, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
        """Half the sum of (v + m^2) / s^2 - 1 - log(v / s^2); v is the posterior's variance, s^2 the prior's.

        Raises:
            UserError: the posterior is a point mass; its divergence from any prior is infinite.
        """
        if posterior.log_variance is None:
            raise UserError(NO_DENSITY)
        log_ratio = posterior.log_variance - math.log(self.variance)
        terms = log_ratio.exp() + posterior.mean.square() / self.variance - 1 - log_ratio
        return terms.sum(1).mean() / 2


class Bures(Penalty):
    """W_2^2 between the prior and the Gaussian with the codes' mean and covariance: WWAE (Zhang et al. 2019).

    Higher moments have no effect. A batch's moments are noisy: for codes from the prior itself, the penalty averages
    0.262 at n = 100, d = 8, and 12.2 at n = 100, d = 64.
    """

    priors: ClassVar[tuple[str, ...]] = ("gaussian",)

    def __init__(self, prior: Prior) -> None:
        super().__init__()
        self.variance = gaussian_variance(prior, "bures")

    def forward(self, posterior: Posterior, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
        """|m|^2 + sum_i (sqrt(l_i) - s)^2, l_i the eigenvalues of the codes' covariance; no prior sample is needed."""
        return bures_to_prior(posterior.sample, self.variance)


class Mmd(Penalty):
    """Maximum mean discrepancy between codes and prior (WAE algorithm 2). It can be negative.

    Args:
        kernel: imq, inverse multiquadratics (the WAE paper), or rbf, Gaussian.
        scales: multiples of the bandwidth 2 d sigma^2; the authors' code sums seven kernels, the paper has one.
    """

    least: ClassVar[int] = 2

    def __init__(
        self,
        prior: Prior,
        *,
        kernel: Literal["imq", "rbf"] = "imq",
        scales: tuple[Positive, ...],
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.scales = tuple(scales)
        self.variance = prior.variance

    def forward(self, posterior: Posterior, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
        """MMD^2 of one sample of each posterior against the prior's sample.

        Raises:
            UserError: there is one image, and the average is over pairs.
        """
        self.enough(len(prior_sample))
        return mmd(posterior.sample, prior_sample, self.kernel, self.scales, self.variance)


class SlicedDistance:
    """W_p^p of slices of two samples, averaged or at the best slice; arguments as in `Sliced`."""

    def __init__(self, p: float, directions: int, defining: Mapping[str, Any], ascent: int | None) -> None:
        self.p, self.directions, self.ascent = p, directions, ascent
        self.defining = DEFINING[defining["kind"]](**{key: defining[key] for key in defining if key != "kind"})

    def __call__(self, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """The distance between two samples (n, d), a 0-d tensor."""
        theta = random_directions(self.directions, self.defining.size(x.shape[1]), generator)
        if self.ascent is not None:
            theta = steepest(x, y, self.defining, self.p, steps=self.ascent, directions=theta)
        return generalized_sliced_wasserstein(x, y, theta, self.defining, self.p)


class Sliced(Penalty):
    """W_p^p of slices of codes and prior, averaged or at the best slice: SWAE, GSWAE and their max versions.

    Kolouri et al. 2019 average over random directions, Kolouri et al. 2019b over slices that are not planes. Deshpande
    et al. 2019 take the best slice. Each round finds it anew, by ascent from the moments' leading directions and from
    random ones. No optimiser's state is kept for it.

    Args:
        p: order of the distance; 2 in the papers.
        directions: random slices per round; SWAE has 50. With `ascent`, random starts added to eight from the moments.
        defining: function that a slice applies to a code; linear gives the plain sliced distance.
        ascent: steps of ascent to the best slice, the only one then used; null for the mean over the slices.
    """

    def __init__(
        self, prior: Prior, *, p: Positive, directions: Count, defining: Slice, ascent: Count | None = None
    ) -> None:
        super().__init__()
        self.distance = SlicedDistance(p, directions, defining, ascent)

    def forward(self, posterior: Posterior, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
        """The slices of one sample of each posterior against those of the prior's sample."""
        return self.distance(posterior.sample, prior_sample, generator)


class Sinkhorn(Penalty):
    """Debiased Sinkhorn divergence of codes and prior, cost |z - y|^p (Patrini et al. 2019): the Sinkhorn AE.

    Args:
        epsilon: weight of the entropy, in the cost's unit; prior samples have a mean cost of 2 d variance for p = 2.
        p: power of the distance; 2 in the paper.
        steps: Sinkhorn steps; 10 leave an error of 1e-3 at epsilon = d / 10.
    """

    def __init__(self, prior: Prior, *, epsilon: Positive, p: Positive, steps: Count) -> None:
        super().__init__()
        self.epsilon, self.p, self.steps = epsilon, p, steps

    def forward(self, posterior: Posterior, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
        """The divergence of one sample of each posterior from the prior's sample."""
        return sinkhorn_divergence(posterior.sample, prior_sample, self.epsilon, self.p, self.steps)


class Adversarial(Penalty):
    """A critic in latent space tells codes from prior samples, and the encoder fools it (WAE algorithm 1).

    Args:
        layers: hidden layers of the critic; the WAE paper has 4.
        units: units in each of them; 512 in the paper, 1024 in the authors' code for CelebA.
        rounds: turns of the critic before each turn of the auto-encoder.
    """

    players: ClassVar[tuple[str, ...]] = ("latent_critic",)

    def __init__(self, prior: Prior, *, layers: Count, units: Count, rounds: Count) -> None:
        super().__init__()
        self.critic = perceptron(prior.dimension, layers, units, 1)
        self.rounds = rounds

    def forward(self, posterior: Posterior, prior_sample: Tensor, generator: torch.Generator) -> Tensor:
        """-log of the critic's probability that the codes are prior samples: the non-saturating loss."""
        return cross_entropy(self.critic(posterior.sample), 1.0)

    def turns(
        self, weight: float, posterior: Callable[[Batch], Posterior], prior_sample: Callable[[Batch], Tensor]
    ) -> tuple[Player, ...]:
        """The critic, `rounds` times: it lowers weight * cross entropy, label 1 for prior samples, 0 for codes."""

        def loss(batch: Batch) -> dict[str, Tensor]:
            codes = posterior(batch).sample.detach()
            # One pass for both: without batch norm, the critic's logits equal those of two passes.
            for_prior, for_codes = self.critic(torch.cat([prior_sample(batch), codes])).chunk(2)
            return {"prior": weight * cross_entropy(for_prior, 1.0), "codes": weight * cross_entropy(for_codes, 0.0)}

        return (Player("latent_critic", tuple(self.critic.parameters()), loss),) * self.rounds


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Mean cross entropy in nats of logits (n, 1) against one label, finite for logits of any size."""
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def gaussian_variance(prior: Prior, penalty: str) -> float:
    """The variance of a prior that must be Gaussian.

    Raises:
        UserError: the prior is not Gaussian.
    """
    if not isinstance(prior, priors.Gaussian):
        raise UserError(f"penalty {penalty} needs a gaussian prior: it has no closed form for {type(prior).__name__}")
    return prior.variance


PENALTIES = {
    "none": Nothing,
    "kl": Kl,
    "bures": Bures,
    "mmd": Mmd,
    "sliced": Sliced,
    "sinkhorn": Sinkhorn,
    "adversarial": Adversarial,
}
