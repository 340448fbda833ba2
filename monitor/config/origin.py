"""Where a configuration is from, for whoever reads it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from .change import Told


class Origin(NamedTuple):
    """Where the settings of a service come from, besides its environment."""

    path: Path | None = None
    flags: Mapping[str, str] = MappingProxyType({})
    files: Sequence[Path] = ()
    """Read last."""
    fixed: Mapping[str, str] = MappingProxyType({})
    """By key path, the variable or flag that gave a setting its value, and does so again in every reload."""
    told: Told = Told()
    """What was read."""
