"""Clocks that tests move by hand."""

import asyncio

START = 1_767_229_200.0


class Clock:
    """A wall clock and a monotonic clock; sleeping moves both and takes one turn of the event loop."""

    def __init__(self, now: float = START) -> None:
        self._uptime = 50.0
        self._boot = now - self._uptime

    def wall(self) -> float:
        return self._uptime + self._boot

    def monotonic(self) -> float:
        return self._uptime

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        # Never less than the wall clock can tell apart, as no real sleep is.
        self._uptime += max(seconds, 1e-6)

    def set_by(self, seconds: float) -> None:
        """Set the wall clock."""
        self._boot += seconds

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.pass_by(seconds)
        await asyncio.sleep(0)
