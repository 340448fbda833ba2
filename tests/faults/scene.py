"""Where a campaign is played: in a folder and on an event loop of its own."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

SHORT = {
    "COLLECT__INTERVAL": "500ms",
    "SERVER__WEBSOCKET__PING_INTERVAL": "1s",
    "SERVER__WEBSOCKET__PING_TIMEOUT": "1s",
    "SERVER__WEBSOCKET__NO_DRAIN": "1s",
    "SERVER__WEBSOCKET__SWEEP_INTERVAL": "200ms",
}
"""Settings: all deadlines of viewers are about a second, a tenth of the defaults."""
Outcome = TypeVar("Outcome")
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def played(campaign: Callable[[Path], Coroutine[object, object, Outcome]]) -> Outcome:
    """What came of it."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(campaign(Path(folder)))


def played_in_memory(campaign: Callable[[Path], Outcome]) -> Outcome:
    """As `played`, in memory: a kill, unlike a power cut, leaves what the kernel was given."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        return campaign(Path(folder))
