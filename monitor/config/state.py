"""Where the service keeps what must survive a restart."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Settings


def state_directory(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The folder for what must survive a restart; it may not exist yet.

    systemd.exec(5) sets STATE_DIRECTORY, a list with colons; the XDG base directory specification defines
    XDG_STATE_HOME, and says to ignore a relative one.
    """
    if Path(settings.storage.path).is_absolute():
        return Path(settings.storage.path)
    if settings.storage.path:
        return home(environ) / settings.storage.path.removeprefix("~/")
    if environ.get("STATE_DIRECTORY"):
        return Path(environ["STATE_DIRECTORY"].split(os.pathsep)[0])
    state = Path(environ.get("XDG_STATE_HOME", ""))
    return (state if state.is_absolute() else home(environ) / ".local" / "state") / "monitor"


def home(environ: Mapping[str, str]) -> Path:
    """The user's folder; a service may run under a user who has none (DynamicUser=), and must not ask."""
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()
