"""Types of numbers in parameters. Annotations of constructors' options may use these aliases."""

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
    """Marks an option as an entry of the table `name` in `wae.<module>`: it has a `kind` and that entry's options."""

    module: str
    name: str


Slice = Annotated[Mapping[str, Any], Table("divergences.projections", "DEFINING")]
