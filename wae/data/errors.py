"""What the data stages raise when what they were given is not what it should be."""

from __future__ import annotations

from wae.errors import UserError


class DataError(UserError):
    """A file or an entry that cannot be used."""
