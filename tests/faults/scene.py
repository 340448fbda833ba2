"""Where a campaign is played: in a folder and on an event loop of its own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

Outcome = TypeVar("Outcome")


def played(campaign: Callable[[Path], Coroutine[object, object, Outcome]]) -> Outcome:
    """What came of it."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(campaign(Path(folder)))
