"""The system's clock, its time zone, and what drives it.

/sys/devices/system/clocksource/clocksource0 is the only such device (Linux, kernel/time/clocksource.c).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import lru_cache

from monitor.collect.host import Host
from monitor.collect.seldom import Seldom
from monitor.model import Block, Kind, Layout, Metric

SECONDS = Metric("node_time_seconds", Kind.GAUGE, "The system's clock, in Unix time.", "seconds")
OFFSET = Metric("node_time_zone_offset_seconds", Kind.GAUGE, "How far local time is ahead of UTC.", "seconds")
AVAILABLE = Metric("node_time_clocksource_available_info", Kind.GAUGE, "Always 1; what can drive the clock.")
CURRENT = Metric("node_time_clocksource_current_info", Kind.GAUGE, "Always 1; what drives the clock.")
FOLDER = "devices/system/clocksource/clocksource0"
EVERY = 10.0


class Time:
    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        local: Callable[[float], time.struct_time] = time.localtime,
    ) -> None:
        self._wall = wall
        self._local = local
        self._seldom = Seldom(clocksources, EVERY)

    def collect(self, host: Host) -> Iterator[Block]:
        now = self._wall()
        zone = self._local(now)
        yield Block(clock(zone.tm_zone), (now, float(zone.tm_gmtoff)))
        yield from self._seldom.blocks(host)


def clocksources(host: Host) -> Iterator[Block]:
    """What can drive the clock, and what does."""
    try:
        available = host.sys(f"{FOLDER}/available_clocksource")
        current = host.sys(f"{FOLDER}/current_clocksource")
    except FileNotFoundError:
        return  # Containers may hide it.
    layout = clocksource(available, current)
    yield Block(layout, (1.0,) * len(layout))


@lru_cache(maxsize=4)
def clock(zone: str) -> Layout:
    """The clock's two series in a time zone."""
    return Layout([SECONDS.at(), OFFSET.at(time_zone=zone)])


@lru_cache(maxsize=4)
def clocksource(available: str, current: str) -> Layout:
    """The series of the clock sources named in the two files."""
    return Layout(
        [
            *(AVAILABLE.at(device="0", clocksource=name) for name in available.split()),
            CURRENT.at(device="0", clocksource=current.strip()),
        ]
    )
