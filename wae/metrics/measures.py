"""A number with a description of its measurement, and helpers that all measurements share."""

from __future__ import annotations

import math
from collections.abc import Sized
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import scipy
import torch
from torch import Tensor

from wae.errors import UserError


@dataclass(frozen=True)
class Measure:
    """One number with the number of images, reference, features and protocol; fields that do not apply are blank.

    Args:
        again: the values of further samplings.
    """

    value: float | None = None
    n: int = 0
    reference: str = ""
    features_sha256: str = ""
    protocol: str = ""
    again: tuple[float, ...] = ()

    def report(self) -> dict[str, Any]:
        """Its fields as plain JSON types, without `again` where it was measured once.

        If a value is not finite, none is a number, and the protocol says why.
        """
        fields = {name: value for name, value in asdict(self).items() if name != "again" or value}
        numbers = () if self.value is None else (self.value, *self.again)
        if bad := [number for number in numbers if not math.isfinite(number)]:
            fields |= {"value": None, "protocol": f"not computed: the value was {bad[0]}; {self.protocol}"}
            fields |= {"again": (None,) * len(self.again)} if self.again else {}
        return fields


def first(images: np.ndarray, n: int, key: str) -> np.ndarray:
    """The first `n` images, in memory."""
    if len(images) < n:
        raise UserError(f"{key} takes {n} images, but this split has {len(images)}; it is at most that number")
    return np.array(images[:n])


def unit(images: np.ndarray, device: torch.device | str) -> Tensor:
    """Images uint8 as floats in [0, 1] on `device`."""
    return torch.from_numpy(np.array(images)).to(device).float() / 255.0


def held_out(images: Sized) -> str:
    """The reference of a measure, in words."""
    return f"first {len(images)} held-out images"


def protocol(how: str) -> str:
    """`how` and the versions of the libraries, without a build suffix, which names a machine, not a method."""
    versions = ("torch", torch.__version__.split("+")[0]), ("numpy", np.__version__), ("scipy", scipy.__version__)
    return "; ".join([how, *(f"{name} {number}" for name, number in versions), f"wae {version('wae')}"])
