"""The error of the data stages for wrong input."""

from __future__ import annotations

from wae.errors import UserError


class DataError(UserError):
    """A file or an entry that cannot be used."""
