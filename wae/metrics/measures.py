"""A number with a description of its measurement, and helpers that all measurements share."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import scipy
import torch
from torch import Tensor


@dataclass(frozen=True)
class Measure:
    """One number with the number of images, reference, features and protocol; fields that do not apply are blank.

    Args:
        n: images that were measured.
        again: the values of further samplings.
        reason: why there is no value.
        of: images there were, of which n were measured; n_reference and of_reference likewise, of the reference.
    """

    value: float | None = None
    n: int = 0
    reference: str = ""
    features_sha256: str = ""
    protocol: str = ""
    again: tuple[float, ...] = ()
    reason: str = ""
    of: int = 0
    n_reference: int = 0
    of_reference: int = 0

    def report(self) -> dict[str, Any]:
        """Its fields as plain JSON types; of those after `protocol` only the ones that apply.

        If a value is not finite, none is a number, and `reason` says why.
        """
        fields = {name: value for name, value in asdict(self).items() if name not in OPTIONAL or value}
        numbers = () if self.value is None else (self.value, *self.again)
        if bad := [number for number in numbers if not math.isfinite(number)]:
            why = f"the value was {bad[0]}"
            fields |= {"value": None, "reason": why, "protocol": f"not computed: {why}; {self.protocol}"}
            fields |= {"again": (None,) * len(self.again)} if self.again else {}
        return fields


OPTIONAL = ("again", "reason", "of", "n_reference", "of_reference")


def unit(images: np.ndarray, device: torch.device | str) -> Tensor:
    """Images uint8 as floats in [0, 1] on `device`."""
    return torch.from_numpy(np.array(images)).to(device).float() / 255.0


def held_out(n: int, of: int) -> str:
    """The reference of a measure, in words: `n` of the `of` held-out images."""
    return f"all {n} held-out images" if n == of else f"{n} of {of} held-out images, drawn by seed"


def counted(n: int, of: int) -> str:
    """`n`, and of how many where that is not all."""
    return str(n) if n == of else f"{n} of {of}"


def protocol(how: str) -> str:
    """`how` and the versions of the libraries, without a build suffix, which names a machine, not a method."""
    versions = ("torch", torch.__version__.split("+")[0]), ("numpy", np.__version__), ("scipy", scipy.__version__)
    return "; ".join([how, *(f"{name} {number}" for name, number in versions), f"wae {version('wae')}"])
