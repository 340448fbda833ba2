"""What a process is asked that reads a configuration, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .change import Change, Told

if TYPE_CHECKING:
    from .settings import Settings


class Question(NamedTuple):
    path: Path | None
    flags: Mapping[str, str]
    held: Settings | None = None
    """The settings in force; None at the start."""


class Read(NamedTuple):
    """What the files, the environment and the flags say; all of it can be sent (monitor/config/plain.py)."""

    settings: Settings
    """To be in force from now on: what needs a restart is as it was."""
    told: Told
    """Of these settings."""
    files: Sequence[Path]
    """Read, the config file first."""
    fixed: Mapping[str, str] = {}
    """By key path, the variable or flag that gave a setting its value."""
    changes: Sequence[Change] = ()
    """Between the settings that were in force and those that were read."""
