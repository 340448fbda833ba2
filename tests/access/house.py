"""Somebody at the door for tests of other things."""

import time
from pathlib import Path

from monitor.access import Access, Folder, Role


def open_to_all(role: Role = Role.OPERATOR) -> Access:
    """Lets everybody in, and keeps nothing."""
    return Access(Folder(Path("nowhere")), (), role, time.time, time.monotonic)
