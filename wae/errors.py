"""Mistakes and mishaps that a person can mend: shown as one sentence, without a traceback."""

from __future__ import annotations


class UserError(ValueError):
    """A sentence that says where, what was found, and what is allowed."""
