"""Time as a test says."""

from __future__ import annotations


class Clock:
    """A clock set by hand."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
