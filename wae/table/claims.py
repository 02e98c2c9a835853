"""Published values, each with where it was published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wae.table.tidy import TableError

Text = Annotated[str, Field(min_length=1)]


class Claim(BaseModel):
    """A number that someone else reports for a metric of a model on a data set."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    dataset: Text
    model: Text = Field(description="our name of the model that fits best")
    metric: Text
    value: Annotated[float, Field(allow_inf_nan=False)]
    source: Text = Field(description="authors, year, and the table or file it stands in")
    protocol: Text = Field(description="how it was measured, as far as the source says")
    note: Text | None = None


def read_claims(path: Path) -> list[Claim]:
    """All claims of a YAML 1.2 file, in its order.

    Raises:
        TableError: one sentence: the first entry that is no claim, as one without a source.
    """
    try:
        # Pure: ruamel's C loader is YAML 1.1, where 3e-3 is a string.
        entries = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise TableError(f"{path}: {' '.join(str(error).split())}") from None
    claims = []
    for index, entry in enumerate(entries or []):
        try:
            claims.append(Claim.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (f"{path}: entry {index + 1}", *first["loc"])))
            raise TableError(f"{where}: {first['msg'].lower()}, found {first['input']!r}") from None
    return claims
