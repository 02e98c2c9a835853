"""Published values and orders of models. Each has its source, and says when a number of ours compares with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wae.table.tidy import TableError

Text = Annotated[str, Field(min_length=1)]
Distance = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Tolerance(BaseModel):
    """The allowed distance of our value from the published one: in the metric's unit, or as a fraction of the value."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    absolute: Distance | None = None
    relative: Distance | None = None

    @model_validator(mode="after")
    def _one(self) -> Tolerance:
        if (self.absolute is None) == (self.relative is None):
            raise ValueError("a tolerance is either absolute or relative")
        return self

    def around(self, value: float) -> float:
        """The allowed distance from `value`, in the metric's unit."""
        return self.absolute if self.absolute is not None else abs(value) * (self.relative or 0.0)


class Published(BaseModel):
    """A published statement about a metric on a data set."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    dataset: Text
    also: list[Text] = Field(default=[], description="other data sets whose rows it is set beside, as a subset's")
    metric: Text
    source: Text = Field(description="authors, year, and the table or file it stands in")
    protocol: Text = Field(description="how it was measured, as far as the source says")
    note: Text | None = None


class Claim(Published):
    """A number for one model. It has a tolerance, or the reason why no number of ours compares with it."""

    model: Text = Field(description="our name of the model that fits best")
    value: Annotated[float, Field(allow_inf_nan=False)]
    tolerance: Tolerance | None = None
    differs: Text | None = Field(default=None, description="why its protocol is none of ours: it is never judged")
    where: dict[str, Any] = Field(
        default={}, description="what must hold of ours: n, dataset.<key>, model.<key>, by dotted keys of the params"
    )

    @model_validator(mode="after")
    def _one(self) -> Claim:
        if (self.tolerance is None) == (self.differs is None):
            raise ValueError("a value has either a tolerance or differs, why it is not judged")
        return self


class Order(Published):
    """A claim that the values of these models rise in this order. It holds at any size, so it needs no tolerance."""

    order: Annotated[list[Text], Field(min_length=2)]


def read_claims(path: Path) -> list[Claim | Order]:
    """All claims of a YAML 1.2 file, in its order.

    Raises:
        TableError: the first entry that is not a claim, for example without a source, in one sentence.
    """
    try:
        # pure=True: ruamel's C loader reads YAML 1.1, in which 3e-3 is a string.
        entries = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise TableError(f"{path}: {' '.join(str(error).split())}") from None
    claims: list[Claim | Order] = []
    for index, entry in enumerate(entries or []):
        kind = Order if isinstance(entry, dict) and "order" in entry else Claim
        try:
            claims.append(kind.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (f"{path}: entry {index + 1}", *first["loc"])))
            message = first["msg"].removeprefix("Value error, ").lower()
            raise TableError(f"{where}: {message}, found {first['input']!r}") from None
    return claims
