"""The JSON schema of params.yaml, for editors: generated from the configuration models."""

from __future__ import annotations

import json
from pathlib import Path

from wae.config.check import json_schema
from wae.config.params import PARAMS

SCHEMA = Path("workflow/schemas/params.schema.json")


def schema() -> str:
    """The schema's text."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**head, **json_schema(PARAMS)}, indent=2, ensure_ascii=False) + "\n"
