"""A few collectors measured many times a second: what a pass each second is too slow to see.

Their passes lie in the middle between instants, so that none falls on a whole second, where the pass over all
collectors is.  What is late is left out, and the passes take a tenth of the time at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from math import floor

from monitor.collect.budget import Watch
from monitor.collect.collector import Collector
from monitor.collect.host import Host
from monitor.collect.loop import Direct
from monitor.model import Block, Labels, Scrape

LIMIT = 1.0
"""Seconds that one collector may take."""
EARLY = 2
"""Milliseconds by which a sleep may end before its time."""
REST = 9
"""How many times as long as a pass took nothing is measured after it, at least."""


class Recorder:
    """Hands over one scrape each interval.  Its files are its own, and so is what its collectors remember."""

    def __init__(
        self,
        host: Host,
        collectors: Mapping[str, Collector],
        accept: Callable[[Scrape], None],
        *,
        target: Labels,
        interval: float,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`cpu` tells the seconds of CPU that this thread has taken."""
        self.interval = round(interval * 1000)
        """Milliseconds."""
        self.spent = 0.0
        """Seconds of CPU that it has taken."""
        self._host, self._accept, self._target = host, accept, target
        self._wall, self._cpu, self._sleep = wall, cpu, sleep
        self._watch = Watch(monotonic, cpu)
        self._sources = [
            Direct(f"{name}, in bursts", each, host, self._watch, LIMIT, self.interval)
            for name, each in collectors.items()
        ]
        self._last = 0

    async def run(self) -> None:
        """Measure until cancelled, then let go of the host and of all collectors."""
        try:
            while True:
                await self._sleep(self.wait())
                rest = REST * self._pass()
                if rest * 1000 > self.interval:
                    await self._sleep(rest)
        finally:
            await asyncio.gather(*(source.close() for source in self._sources))
            self._host.close()

    def wait(self) -> float:
        """Seconds until the next instant."""
        return (self.interval - (self._wall() * 1000 - self.interval / 2) % self.interval) / 1000

    def _pass(self) -> float:
        """What it took, in seconds of CPU."""
        began = self._cpu()
        timestamp = self._instant()
        if timestamp == self._last:
            return 0.0
        # A clock that was set back is not followed, as nothing may be older than what there is.
        self._last = timestamp if timestamp > self._last else self._last + self.interval
        self._accept(self.measure(self._last))
        took = self._cpu() - began
        self.spent += took
        return took

    def measure(self, timestamp: int) -> Scrape:
        """What all its collectors measure now, under the given time in ms."""
        self._host.fresh(timestamp / 1000)
        self._watch.lap()
        blocks: list[Block] = []
        for source in self._sources:
            blocks += source.measured(timestamp)
        return Scrape(timestamp, self._target, tuple(blocks))

    def _instant(self) -> int:
        """The newest instant that has come, in ms."""
        half = self.interval // 2
        return floor((self._wall() * 1000 - half + EARLY) / self.interval) * self.interval + half
