"""Adversarially constrained interpolation (Berthelot et al. 2018) over any auto-encoder."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from wae.models.autoencoder import AutoEncoder
from wae.models.game import Batch, Model, Player, Warmup
from wae.models.priors import Prior


class Acai(Model):
    """An auto-encoder and a critic: the critic guesses how far two codes were mixed, the auto-encoder must fool it.

    The critic d lowers E (d(x_a) - a)^2 + E d(gamma x + (1 - gamma) x')^2. The auto-encoder lowers its own loss plus
    weight * E d(x_a)^2. Here x_a decodes a z + (1 - a) z~, a in [0, 1/2], and x' reconstructs x (equations 1 and 2).
    A decoder's batch norm normalises mixed codes separately; its running moments average over both kinds of batch.
    The authors' critic has no normalisation. Ours normalises each image alone, since its initial weights are small.

    Args:
        model: the auto-encoder.
        critic: images in the network's range, (n, c, h, w), -> (n, 1).
        weight: factor of the critic's squared guess; the authors use 0.5 with a mean squared error over pixels.
        gamma: share of x in the images that the critic must call unmixed; 0.2 in the authors' code.
    """

    def __init__(self, model: AutoEncoder, critic: nn.Module, *, weight: float, gamma: float) -> None:
        super().__init__()
        self.model, self.critic = model, critic
        self.weight, self.gamma = weight, gamma

    # ---- use: the wrapped model's ----

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, d) of images in [0, 1]."""
        return self.model.encode(x)

    @property
    def prior(self) -> Prior:
        """The wrapped model's prior."""
        return self.model.prior

    def draw_codes(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """One code (n, d) of each image in [0, 1], drawn from its posterior."""
        return self.model.draw_codes(x, generator)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and log variance (n, d) of the posteriors of images in [0, 1]; no log variance for point masses."""
        return self.model.moments(x)

    def decode(self, z: Tensor) -> Tensor:
        """Images (n, c, h, w) in [0, 1] of codes (n, d)."""
        return self.model.decode(z)

    def generate(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, c, h, w) images in [0, 1], decoded from the prior."""
        return self.model.generate(n, generator)

    def networks(self) -> dict[str, nn.Module]:
        """The wrapped model's networks."""
        return self.model.networks()

    def anneal(self, factor: float) -> None:
        """Anneal the wrapped model's weight."""
        self.model.anneal(factor)

    def warmup(self) -> Warmup | None:
        """The wrapped model's warm-up."""
        return self.model.warmup()

    def constants(self) -> dict[str, float]:
        """The wrapped model's constants."""
        return self.model.constants()

    # ---- the game ----

    def turns(self) -> tuple[Player, ...]:
        """The wrapped model's turns, with the critic's turn inserted before the last one, the auto-encoder's."""
        *others, autoencoder = self.model.turns()
        critic = Player("interpolation_critic", tuple(self.critic.parameters()), self.critic_loss)
        return (*others, critic, replace(autoencoder, loss=self.loss))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The wrapped model's terms, and weight * E d(x_a)^2."""
        _, mixed = self.interpolation(batch)
        return {**self.model.loss(batch), "interpolation": self.weight * self.critic(mixed).square().mean()}

    def critic_loss(self, batch: Batch) -> dict[str, Tensor]:
        """Squared errors of the critic's guesses: the target is a for interpolations, 0 for gamma x + (1 - gamma) x'.

        A critic that ignores its input guesses E a / 2 = 1/8 for both; its loss is then 1/12 - 1/32 = 0.0520833.
        """
        alpha, mixed = self.interpolation(batch)
        x, output = batch.x, self.model.output
        unmixed = torch.lerp(output.activate(self.model.reconstruction(batch)), output.scale(x), self.gamma)
        # One pass for both: the critic treats each image alone.
        of_mixed, of_unmixed = self.critic(torch.cat([mixed, unmixed]).detach()).chunk(2)
        return {"mixed": (of_mixed - alpha).square().mean(), "unmixed": of_unmixed.square().mean()}

    def interpolation(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mixing weights a (n, 1) and the decoded mixtures (n, c, h, w), the same for both players of a round."""
        return batch.once(self._interpolation)

    def _interpolation(self, batch: Batch) -> tuple[Tensor, Tensor]:
        z = self.model.posterior(batch).sample
        uniform = torch.rand(len(z), 1, generator=batch.generator, device=z.device, dtype=z.dtype)
        alpha = 0.5 - (uniform - 0.5).abs()
        # Each code mixes with its neighbour. Reversing an odd batch instead would mix its middle code with itself.
        return alpha, self.model.output.activate(self.model.decoder(torch.lerp(z.roll(1, 0), z, alpha)))
