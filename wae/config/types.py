"""Numbers as parameters name them. These aliases are also the vocabulary of every constructor's options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Table:
    """Says of an option that it is an entry of the table `name` in `wae.<module>`: its `kind` and its own options."""

    module: str
    name: str


Slice = Annotated[Mapping[str, Any], Table("divergences.projections", "DEFINING")]
