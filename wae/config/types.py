"""Types of numbers in parameters. Annotations of constructors' options may use these aliases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

LARGEST = 1e30  # the square of such a number is finite


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd: 1, 3, 5, ...")
    return value


Positive = Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Several = Annotated[int, Field(ge=2)]
Odd = Annotated[int, Field(ge=1, json_schema_extra={"not": {"multipleOf": 2}}), AfterValidator(_odd)]
Whole = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Table:
    """Marks an option as an entry of the table `name` in `wae.<module>`: it has a `kind` and that entry's options."""

    module: str
    name: str


Slice = Annotated[Mapping[str, Any], Table("divergences.projections", "DEFINING")]
