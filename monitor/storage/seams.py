"""Where the past does not join: what came before the start, steps of the wall clock, times without a sample.

A step is told from the time that goes by while the machine sleeps by a clock that goes on then
(clock_gettime(2), CLOCK_BOOTTIME).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from monitor.model import Event

SEAM = 10_000
"""Milliseconds without a sample, and of a step of the clock, that are marked at least."""


def boot_time() -> float:
    """Seconds since the machine was started, its sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Seams:
    """Met by each row that is stored, whatever its target."""

    def __init__(
        self,
        add: Callable[[Event], None],
        wall: Callable[[], float],
        steady: Callable[[], float] = boot_time,
        step: int = 1000,
    ) -> None:
        """`step` is the time between rows (ms)."""
        self.past = 0
        """Time of the newest row that an earlier process stored; 0 before there is one."""
        self._add, self._wall, self._steady = add, wall, steady
        self._least = max(SEAM, 2 * step)
        self._newest = 0
        self._base = self._stands()

    def met(self, time: int) -> None:
        """A row of this time is stored."""
        if time <= self._newest:
            return
        before, self._newest = self._newest, time
        base = self._stands()
        by, self._base = base - self._base, base
        if not before:
            self._first(time)
        elif abs(by) >= self._least:
            self._stepped(before, time, by)
        elif time - before > self._least:
            self._add(Event(before, time, "gap", f"nothing was measured for {words(time - before)}"))

    def _stands(self) -> int:
        return round((self._wall() - self._steady()) * 1000)

    def _first(self, time: int) -> None:
        past = self.past
        if past and time <= past:
            text = f"the clock stands {words(past - time)} before the newest stored sample"
            self._add(Event(time, time, "clock", text))
        elif past and time - past > self._least:
            self._add(Event(past, time, "gap", f"the service did not run for {words(time - past)}"))

    def _stepped(self, before: int, time: int, by: int) -> None:
        if by < 0:
            text = f"the clock was set back by {words(-by)}; times go on as before, ahead of it"
            self._add(Event(time, time, "clock", text))
        else:
            self._add(Event(before, time, "clock", f"the clock was set on by {words(by)}"))


def words(milliseconds: int) -> str:
    """A length of time, roughly, for people."""
    sizes = ((365 * 86_400_000, "years"), (86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"))
    for size, name in sizes:
        if milliseconds >= 2 * size:
            return f"{milliseconds // size} {name}"
    return f"{milliseconds // 1000} seconds"
