"""The auto-encoder of the family: networks, a cost, a prior and a penalty, and the turns it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from wae.models.costs import Cost
from wae.models.game import Batch, Model, Penalty, Player, Posterior, Warmup
from wae.models.nets import Networks, truncated_normal
from wae.models.posteriors import Reading
from wae.models.priors import Prior

Options = Mapping[str, Any]


class AutoEncoder(Model):
    """A WAE or VAE: min over Q, G of E c(X, G(Z)) + weight * D(Q_Z, P_Z) (Tolstikhin et al. 2018, equation 4).

    Args:
        reading: how the encoder's numbers are read as Q(Z|X).
        weight: lambda.
        noise: standard deviation of the normal noise, truncated at two deviations, that is added to the encoder's input
            in training; in the network's pixel range (the authors' `add_noise`).
        pretraining: `steps`, `sample`, `tolerance` of encoder-only steps before the first round; None for no steps.
    """

    def __init__(
        self,
        networks: Networks,
        reading: Reading,
        cost: Cost,
        prior: Prior,
        penalty: Penalty,
        *,
        weight: float,
        noise: float = 0.0,
        pretraining: Options | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.output = networks.encoder, networks.decoder, networks.output
        self.reading, self.cost, self.prior, self.penalty = reading, cost, prior, penalty
        self.weight, self.noise, self.pretraining = weight, noise, pretraining
        self.factor = 1.0  # of the weight, where it is annealed

    # ---- use: images in [0, 1] ----

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, d) of images in [0, 1]: the posterior's mean."""
        return self.reading.mean(self.encoder(self.output.scale(x)))

    def draw_codes(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """One code (n, d) of each image in [0, 1], drawn from its posterior."""
        return self.reading(self.encoder(self.output.scale(x)), generator).sample

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and log variance (n, d) of the posteriors of images in [0, 1]; no log variance for point masses."""
        raw = self.encoder(self.output.scale(x))
        return self.reading.mean(raw), self.reading.log_variance(raw)

    def decode(self, z: Tensor) -> Tensor:
        """Images (n, c, h, w) in [0, 1] of codes (n, d)."""
        return self.output.pixels(self.decoder(z))

    def generate(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, c, h, w) images in [0, 1], decoded from the prior."""
        return self.decode(self.prior.sample(n, generator))

    # ---- what a round computes once ----

    def posterior(self, batch: Batch) -> Posterior:
        """Q(Z|X) of the batch, with one sample; every player of the round sees the same sample."""
        return batch.once(self._posterior)

    def prior_sample(self, batch: Batch) -> Tensor:
        """Samples of the prior, (n, d), as many as images; the same for every player of the round."""
        return batch.once(self._prior_sample)

    def reconstruction(self, batch: Batch) -> Tensor:
        """The decoder's raw output, (n, c, h, w), for the posterior's sample."""
        return batch.once(self._reconstruction)

    def _posterior(self, batch: Batch) -> Posterior:
        x = self.output.scale(batch.x)
        if self.noise:
            # A new tensor, since `scale` may return the batch's own: costs compare with the clean image.
            x = truncated_normal(x, batch.generator).mul_(self.noise).add_(x)
        return self.reading(self.encoder(x), batch.generator)

    def _prior_sample(self, batch: Batch) -> Tensor:
        return self.prior.sample(len(batch), batch.generator)

    def _reconstruction(self, batch: Batch) -> Tensor:
        return self.decoder(self.posterior(batch).sample)  # type: ignore[no-any-return]

    # ---- the game ----

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The auto-encoder's objective: batch mean of the cost, and weight * penalty."""
        return {
            "reconstruction": self.cost(self.output, self.reconstruction(batch), batch.x).mean(),
            "penalty": self.annealed * self.penalty(self.posterior(batch), self.prior_sample(batch), batch.generator),
        }

    def turns(self) -> tuple[Player, ...]:
        """The penalty's players (algorithm 1 updates its critic first), then the auto-encoder."""
        params = (*self.encoder.parameters(), *self.decoder.parameters())
        others = self.penalty.turns(self.weight, self.posterior, self.prior_sample)
        return (*others, Player("autoencoder", params, self.loss))

    def networks(self) -> dict[str, nn.Module]:
        """Encoder and decoder."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def constants(self) -> dict[str, float]:
        """Lambda for a cost without its factor, a plain sum over pixels: the value that such a paper prints."""
        return {"autoencoder.effective_lambda": self.annealed / self.cost.factor}

    def anneal(self, factor: float) -> None:
        """Multiply lambda by `factor`, until the next call; the penalty's own players keep the full weight."""
        self.factor = factor

    @property
    def annealed(self) -> float:
        """Lambda as it now is: the weight, annealed."""
        return self.weight * self.factor

    def warmup(self) -> Warmup | None:
        """Encoder-only steps that bring mean and covariance of the codes to the prior's (the authors' code)."""
        if self.pretraining is None:
            return None
        player = Player("autoencoder", tuple(self.encoder.parameters()), self._moments)
        return Warmup(player, **self.pretraining)

    def _moments(self, batch: Batch) -> dict[str, Tensor]:
        z, y = self.posterior(batch).sample, self.prior_sample(batch)
        return {
            "mean": (z.mean(0) - y.mean(0)).square().mean(),
            "covariance": (z.T.cov() - y.T.cov()).square().mean(),
        }
