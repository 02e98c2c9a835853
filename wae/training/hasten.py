"""How networks compute while they train: with fewer bits, or compiled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from wae.errors import UserError


def hasten(networks: Iterable[nn.Module], *, precision: str = "float32", compile: bool = False) -> None:
    """Change in place how networks compute; their weights and outputs stay float32.

    Args:
        precision: type of convolutions and matrix products, float32, or bfloat16 by torch.autocast.
        compile: whether torch.compile compiles them, at their first call.

    Raises:
        UserError: `compile` is true and there is no C++ compiler.
    """
    compiler = os.environ.get("CXX", "g++")
    if compile and shutil.which(compiler) is None:
        raise UserError(f"compile is true, but there is no C++ compiler {compiler}; install one, name one in CXX")
    for network in networks:
        if precision != "float32":
            _round(network, getattr(torch, precision))
        if compile:
            network.compile()


def _round(network: nn.Module, dtype: torch.dtype) -> None:
    forward = network.forward

    def rounded(x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, dtype):
            return forward(x).float()  # type: ignore[no-any-return]

    network.forward = rounded  # type: ignore[method-assign]
