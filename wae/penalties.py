"""D(Q_Z, P_Z): how far the codes of a batch are from the prior, unweighted; the auto-encoder holds lambda."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from wae import priors
from wae.divergences import mmd
from wae.errors import UserError
from wae.game import Batch, Player, Posterior
from wae.nets import perceptron
from wae.priors import Prior
from wae.types import Count, Positive


class Penalty(nn.Module, ABC):
    """D(Q_Z, P_Z) from a batch's posterior and as many samples of the prior. `players`: names of those it brings."""

    players: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def forward(self, posterior: Posterior, prior_sample: Tensor) -> Tensor:
        """The penalty, a 0-d tensor that the encoder lowers."""

    def turns(
        self, weight: float, posterior: Callable[[Batch], Posterior], prior_sample: Callable[[Batch], Tensor]
    ) -> tuple[Player, ...]:
        """The turns that come before the auto-encoder's: a penalty that must be trained brings its players.

        Args:
            weight: lambda.
            posterior, prior_sample: what the auto-encoder's own turn will see of a batch.
        """
        return ()


class Kl(Penalty):
    """Batch mean of KL(Q(Z|X) | P_Z), closed form, in nats: the VAE's (Kingma and Welling 2014, appendix B)."""

    def __init__(self, prior: Prior) -> None:
        super().__init__()
        if not isinstance(prior, priors.Gaussian):
            raise UserError(f"penalty kl needs a gaussian prior: it has no closed form for {type(prior).__name__}")
        self.variance = prior.variance

    def forward(self, posterior: Posterior, prior_sample: Tensor) -> Tensor:
        """Half the sum of (v + m^2) / s^2 - 1 - log(v / s^2); v is the posterior's variance, s^2 the prior's.

        Raises:
            UserError: the posterior is a point mass, at an infinite divergence from any prior.
        """
        if posterior.log_variance is None:
            raise UserError(
                "penalty kl needs a gaussian posterior: a deterministic code is infinitely far from any prior"
            )
        log_ratio = posterior.log_variance - math.log(self.variance)
        terms = log_ratio.exp() + posterior.mean.square() / self.variance - 1 - log_ratio
        return terms.sum(1).mean() / 2


class Mmd(Penalty):
    """Maximum mean discrepancy between codes and prior (WAE algorithm 2). It can be negative.

    Args:
        kernel: imq, inverse multiquadratics (the WAE paper), or rbf, Gaussian.
        scales: multiples of the bandwidth 2 d sigma^2; the authors' code sums seven kernels, the paper has one.
    """

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

    def forward(self, posterior: Posterior, prior_sample: Tensor) -> Tensor:
        """MMD^2 of one sample of each posterior against the prior's sample."""
        return mmd(posterior.sample, prior_sample, self.kernel, self.scales, self.variance)


class Adversarial(Penalty):
    """A critic in latent space tells codes from prior samples, and the encoder fools it (WAE algorithm 1).

    Args:
        layers: hidden layers of the critic; the WAE paper has 4.
        units: in each of them; 512 in the paper, 1024 in the authors' code for CelebA.
        rounds: turns of the critic before each of the auto-encoder.
    """

    players: ClassVar[tuple[str, ...]] = ("latent_critic",)

    def __init__(self, prior: Prior, *, layers: Count, units: Count, rounds: Count) -> None:
        super().__init__()
        self.critic = perceptron(prior.dimension, layers, units, 1)
        self.rounds = rounds

    def forward(self, posterior: Posterior, prior_sample: Tensor) -> Tensor:
        """-log of the probability that the critic gives codes of being the prior's: the non-saturating loss."""
        return cross_entropy(self.critic(posterior.sample), 1.0)

    def turns(
        self, weight: float, posterior: Callable[[Batch], Posterior], prior_sample: Callable[[Batch], Tensor]
    ) -> tuple[Player, ...]:
        """The critic, `rounds` times: it lowers weight * (cross entropy of prior samples as 1 and of codes as 0)."""

        def loss(batch: Batch) -> dict[str, Tensor]:
            codes = posterior(batch).sample.detach()
            # One pass for both: the critic has no batch norm, so that its logits are those of two passes.
            for_prior, for_codes = self.critic(torch.cat([prior_sample(batch), codes])).chunk(2)
            return {"prior": weight * cross_entropy(for_prior, 1.0), "codes": weight * cross_entropy(for_codes, 0.0)}

        return (Player("latent_critic", tuple(self.critic.parameters()), loss),) * self.rounds


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Mean cross entropy in nats of logits (n, 1) against one label, finite for logits of any size."""
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


PENALTIES = {"kl": Kl, "mmd": Mmd, "adversarial": Adversarial}
