"""What waits for slow viewers, in all: a limit that snapshots and catch-ups respect and ticks do not.

Each connection may have SPARE bytes of frames waiting, which is more than a tick; only what is beyond that
counts.  While the backlog is full, nobody is sent anything of the past: requests and catch-ups wait their
turn, ticks go on, and whoever takes nothing at all is cut by the sweep, which frees what waited for him.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.footprint import SPARE


class Backlog:
    """Sizes in bytes.  One answer may overshoot the limit, since a message is never cut."""

    __slots__ = ("limit", "waiting")

    def __init__(self, limit: int = 64 << 20) -> None:
        self.limit = limit
        self.waiting = 0

    def left(self) -> bool:
        return self.waiting < self.limit

    def add(self, size: int) -> None:
        """A connection was handed this much, and did not take it at once."""
        self.waiting += max(0, size - SPARE)

    def measure(self, sizes: Iterable[int]) -> None:
        """What waits for each connection, by a sweep: the truth, where `add` only ever grew."""
        self.waiting = sum(size - SPARE for size in sizes if size > SPARE)
