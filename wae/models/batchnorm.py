"""Batch norm whose running moments are of use from the first round on."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from wae.errors import UserError


class BatchNorm(_BatchNorm):
    """Batch norm of (n, c) or (n, c, h, w), whose running moments at update t have momentum max(0.1, 1 / t).

    So they are the mean over the first ten batches. From then on they keep nine tenths of the past, TensorFlow's decay
    0.9 in the WAE authors' code. Theirs and torch's start at mean 0 and variance 1, of which 0.9^t is left after t
    batches. The variance of a layer with small initial weights is far below 1, so for some 150 batches their evaluated
    network is another one than the trained. In training the outputs are those of `nn.BatchNorm2d`, bit for bit.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input, of the same shape; in training by its own moments.

        Raises:
            UserError: in training, a channel has a single value, which has no variance.
        """
        weights = self.weight, self.bias
        if not self.training:
            return F.batch_norm(input, self.running_mean, self.running_var, *weights, eps=self.eps)
        if input.numel() == input.shape[1]:
            raise UserError("batch is 1, and batch norm needs a batch of at least 2 where a channel has a single value")
        mean, variance = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_var)
        # With momentum 1 torch leaves the batch's mean and its unbiased variance in the place of running ones.
        normalised = F.batch_norm(input, mean, variance, *weights, training=True, momentum=1.0, eps=self.eps)
        self._average(mean, variance)
        return normalised

    @torch.no_grad()
    def _average(self, mean: Tensor, variance: Tensor) -> None:
        # The momentum stays on the device: a number would have to wait for the count.
        momentum = self.num_batches_tracked.add_(1).reciprocal().clamp_min_(self.momentum)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)
