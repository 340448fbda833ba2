"""Configuration: typed settings that mirror config.yaml, from file, environment and flags.

What checks settings takes 10 MiB (pydantic, and a model of each group), and the service needs none of it:
settings are checked by a process that ends after it (monitor/reading.py).  So each name is loaded when it is
first asked for, and a module of the service asks for `Settings` and `Board` as types alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .address import Address
    from .board import Board
    from .loaded import Loaded, load
    from .origin import Origin
    from .problems import ConfigError, Place, Problem
    from .settings import Settings
    from .state import state_directory

PLACES = {
    "Address": "address",
    "Board": "board",
    "ConfigError": "problems",
    "Loaded": "loaded",
    "Origin": "origin",
    "Place": "problems",
    "Problem": "problems",
    "Settings": "settings",
    "load": "loaded",
    "state_directory": "state",
}
"""The module of each name."""

__all__ = [
    "Address",
    "Board",
    "ConfigError",
    "Loaded",
    "Origin",
    "Place",
    "Problem",
    "Settings",
    "load",
    "state_directory",
]


def __getattr__(name: str) -> Any:
    """A name of the list above (PEP 562)."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{PLACES[name]}", __name__), name)
