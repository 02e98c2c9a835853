"""Sums too large to hold at once: the same term over blocks of rows, computed again in the backward pass."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

# Numbers held at once: on a CPU as many as fit its cache; on CUDA enough to fill the GPU, 256 MiB in float32.
LIMIT = {"cpu": 1 << 18, "cuda": 1 << 26}


def over_rows(term: Callable[[Tensor, int], Tensor], rows: Tensor, width: int, least: int = 1) -> list[Tensor]:
    """`term(block, index of its first row)` for each block of `rows`, with as many rows per block as LIMIT allows.

    With a gradient, the C library's allocator may keep the pages of freed blocks (1.6 GB for an MMD of n = 5000 in a
    fresh process, 0.2 GB with MALLOC_MMAP_THRESHOLD_=65536 in its environment): resident, but free.

    Args:
        term: a function without random draws.
        rows: tensor that is split along its first axis.
        width: numbers that `term` holds for each row.
        least: rows per block even where LIMIT allows fewer, so that products of matrices keep several rows.
    """
    height = max(least, LIMIT.get(rows.device.type, LIMIT["cpu"]) // max(1, width))
    if len(rows) <= height:
        return [term(rows, 0)]
    return [
        checkpoint(term, block, i * height, use_reentrant=False, preserve_rng_state=False)
        for i, block in enumerate(torch.split(rows, height))
    ]
