"""The models of the family: a game of players over networks, a cost, a prior and a penalty.

Both functions are imported at their first use, so importing one module of this package does not import the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wae.models.compose import build
    from wae.models.trial import sizes

__all__ = ["build", "sizes"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"wae.models.{'compose' if name == 'build' else 'trial'}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
