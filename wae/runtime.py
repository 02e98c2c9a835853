"""Seed, threads and device. Only the command line sets them, once per process."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from wae.errors import UserError

if TYPE_CHECKING:
    import torch

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def limit_threads(threads: int) -> None:
    """Limit the threads of every maths library. Call it before numpy or torch is imported: they read it at import."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)


def seed_for(*purpose: object) -> int:
    """A 63-bit seed made from every part of `purpose`. Different purposes get different random streams."""
    digest = hashlib.sha256("/".join(map(str, purpose)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def start(device: str, threads: int, *purpose: object) -> torch.device:
    """Seed torch for `purpose`, fix its threads and its algorithms, and return the device to run on.

    Args:
        device: `cpu`, `cuda`, or `auto` (cuda where there is one).

    Raises:
        UserError: cuda was asked for and there is none.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise UserError("compute.device is 'cuda', but torch finds no CUDA device; use 'cpu' or 'auto'")
    torch.set_num_threads(threads)
    torch.manual_seed(seed_for(*purpose))
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    return torch.device("cuda" if available and device != "cpu" else "cpu")


def generator(device: torch.device | str, *purpose: object) -> torch.Generator:
    """A random generator that only `purpose` uses."""
    import torch

    return torch.Generator(device).manual_seed(seed_for(*purpose))
