"""The generator of the family: images from the prior, trained by one of the objectives."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wae.models.game import Batch, Model, Player
from wae.models.objectives import Objective
from wae.models.pixels import Output
from wae.models.priors import Prior


class Gan(Model):
    """A generator G(Z), with Z from the prior, and the critic and objective that train it.

    Args:
        generator: codes (n, d) -> raw images (n, c, h, w).
        critic: images in the networks' pixel range -> (n, 1); its last layer is linear, and it treats each image alone.
            Empty for an objective without a critic.
        output: the pixel range of generator and critic.
    """

    def __init__(
        self, generator: nn.Module, critic: nn.Sequential, output: Output, prior: Prior, objective: Objective
    ) -> None:
        super().__init__()
        self.generator, self.critic, self.output = generator, critic, output
        self.prior, self.objective = prior, objective

    def generate(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, c, h, w) images in [0, 1]."""
        return self.output.pixels(self.generator(self.prior.sample(n, generator)))

    def turns(self) -> tuple[Player, ...]:
        """The objective's turns."""
        return self.objective.turns(self)

    def networks(self) -> dict[str, nn.Module]:
        """The generator."""
        return {"generator": self.generator}

    def real(self, batch: Batch) -> Tensor:
        """The batch's images in the networks' pixel range, (n, c, h, w)."""
        return self.output.scale(batch.x)

    def fake(self, batch: Batch) -> Tensor:
        """Generated images, as many as the batch has; the same for every player of the round."""
        return batch.once(self._fake)

    def _fake(self, batch: Batch) -> Tensor:
        return self.output.activate(self.generator(self.prior.sample(len(batch), batch.generator)))
