"""Configuration: typed settings that mirror config.yaml, from file, environment and flags."""

from .addresses import Address
from .board import Board
from .load import Loaded, Origin, load, state_directory
from .problems import ConfigError, Place, Problem
from .settings import Settings

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
