"""The instants at which to measure: whole multiples of the interval, on the wall clock, always forward."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from math import floor
from typing import NamedTuple

log = logging.getLogger(__name__)


class Tick(NamedTuple):
    """One instant to measure at."""

    timestamp: int
    """Unix time in ms, a multiple of the interval."""
    missed: int
    """Instants left out since the tick before."""


class Timeline:
    """The wall clock, but for its steps back.

    Time goes by the monotonic clock and is set by the wall clock as long as that moves on or slips back by
    less than an interval.  When it is set back by more, time goes on as it went, ahead of the wall clock,
    because what was measured would else be older than what is stored.
    """

    def __init__(
        self,
        interval: float,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.interval = round(interval * 1000)
        """Milliseconds."""
        self.ahead = 0.0
        """Seconds that this line is ahead of a wall clock that was set back; else 0."""
        self._wall = wall
        self._monotonic = monotonic
        self._base = wall() - monotonic()
        self._last = floor(self.now() / self.interval) * self.interval

    @property
    def next(self) -> int:
        """The timestamp of the next instant, if none is missed."""
        return self._last + self.interval

    def now(self) -> float:
        """Unix time in milliseconds on this line."""
        monotonic = self._monotonic()
        base = self._wall() - monotonic
        back = self._base - base
        if back * 1000 < self.interval:
            self._base = base
            back = 0.0
        self._note(back)
        return (monotonic + self._base) * 1000

    def wait(self) -> float:
        """Seconds until the next instant; 0 or less when it has come."""
        return (self.next - self.now()) / 1000

    def tick(self) -> Tick:
        """The newest instant that has come; always after the one before."""
        newest = max(floor(self.now() / self.interval) * self.interval, self.next)
        missed = (newest - self._last) // self.interval - 1
        self._last = newest
        return Tick(newest, missed)

    def _note(self, ahead: float) -> None:
        if ahead and not self.ahead:
            log.warning("the clock was set back by %.3f s; timestamps go on as before, ahead of it", ahead)
        if self.ahead and not ahead:
            log.info("the clock has caught up with the timestamps")
        self.ahead = ahead
