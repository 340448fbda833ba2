"""The wall clock, set while the service runs: by libfaketime(1), which reads its steps from a file.

The monotonic clock goes on as it does where an administrator or NTP sets the time (clock_settime(2)).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from tests.faults.figures import asked, gone
from tests.faults.options import Options, progress
from tests.faults.row import Row, within
from tests.faults.scene import played
from tests.faults.watcher import Watcher, longest, watched
from tests.service import Service

TITLE = "T1: the wall clock is set"
STEPS, VIEWERS = 200, 20
HOUR, DAY = 3600, 86_400
PING, SWEEP, INTERVAL = 1.0, 1.0, 0.5
SETTINGS = {
    "COLLECT__INTERVAL": "500ms",
    "SERVER__WEBSOCKET__PING_INTERVAL": "1s",
    "SERVER__WEBSOCKET__PING_TIMEOUT": "1s",
    "SERVER__WEBSOCKET__SWEEP_INTERVAL": "1s",
}
CLOCK = "clock"
DWELL = 2
"""Ticks from one step to the next."""
PATIENCE = 30
MISSING = "libfaketime is missing: apt-get install libfaketime"

Step = tuple[str, float]
"""Its kind, and the seconds by which the clock is set."""
KINDS: tuple[tuple[Step, ...], ...] = (
    (("an hour on", HOUR),),
    (("an hour back, and on", -HOUR), ("an hour back, and on", HOUR)),
    (("30 days back, and on", -30 * DAY), ("30 days back, and on", 30 * DAY)),
    (("summer time, on and back", HOUR), ("summer time, on and back", -HOUR)),
    (("a leap second", -1.0),),
    tuple(("5 s to and fro", sign * 5.0) for sign in (1, -1) * 3),
)
LAST: tuple[Step, ...] = (
    ("ten years on", 3652 * DAY),
    ("ten years on", 3652 * DAY),
    ("ten years back", -3652 * DAY),
)
"""Timestamps never go back, so no step on would be one after these."""


@dataclass
class Outcome:
    steps: dict[str, int] = field(default_factory=dict)
    viewers: int = 0
    cut: int = 0
    gone: float = 0
    ping: float = 0
    """Longest time between two pings to one viewer; seconds."""
    tick: float = 0
    """Longest time between two ticks to one viewer; seconds."""
    columns: int = 0
    negative: int = 0
    disordered: int = 0


def rows(options: Options) -> Iterator[Row]:
    if not library():
        yield Row(MISSING, "not run", held=False)
        return
    steps = drawn(Random(options.seed), options.of(STEPS))
    yield from told(played(lambda folder: campaign(folder, steps, VIEWERS)))


def told(found: Outcome) -> Iterator[Row]:
    yield Row("steps of the wall clock", sum(found.steps.values()))
    for kind, count in found.steps.items():
        yield Row(f"of them {kind}", count)
    yield Row("viewers", found.viewers)
    yield Row("of them closed", found.cut, not found.cut)
    yield Row("sessions ended by the service's own count", round(found.gone), not found.gone)
    yield within("longest time between two pings, s", found.ping, PING + 2 * SWEEP)
    yield within("longest time between two ticks, s", found.tick, 2 * INTERVAL)
    yield Row("columns sent", found.columns)
    yield Row("of them older than the one before", found.disordered, not found.disordered)
    yield Row("rates below zero", found.negative, not found.negative)


def library() -> str | None:
    """Where it is (Debian's package libfaketime), if it is installed."""
    return next((str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


def drawn(random: Random, count: int) -> list[Step]:
    """So many steps, of every kind in turn, each kind in its order."""

    def endless() -> Iterator[Step]:
        while True:
            for kind in random.sample(KINDS, len(KINDS)):
                yield from kind

    return [*islice(endless(), max(0, count - len(LAST))), *LAST]


async def campaign(folder: Path, steps: list[Step], viewers: int, **settings: str) -> Outcome:
    found = Outcome(viewers=viewers)
    offset = 0.0
    with faked(folder, settings) as service:
        async with watched(service.url, viewers) as watchers:
            for kind, seconds in steps:
                offset += seconds
                set_by(folder, offset)
                found.steps[kind] = found.steps.get(kind, 0) + 1
                progress(f"{kind}: {offset:+.0f} s")
                async with asyncio.timeout(PATIENCE):
                    await asyncio.gather(*(watcher.ticks(DWELL) for watcher in watchers))
            found.gone = gone(await asyncio.to_thread(asked, service.url))
            noted(found, watchers, time.monotonic())
    return found


@contextmanager
def faked(folder: Path, settings: Mapping[str, str]) -> Iterator[Service]:
    """A service whose wall clock is set by `set_by`; that it warns of it is right.

    Python waits for its lock by pthread_cond_timedwait(3) and the monotonic clock.  libfaketime's "fix" for
    some versions of glibc reckons that time by the faked clock all the same: each wait then ends at once, and
    two threads that want the lock take ten times the CPU time and seconds for a tick.
    """
    set_by(folder, 0)
    service = Service(folder, **{**SETTINGS, **settings})
    service.environment |= {
        "LD_PRELOAD": library() or "",
        "FAKETIME_TIMESTAMP_FILE": str(folder / CLOCK),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "DONT_FAKE_MONOTONIC": "1",
    }
    service.start()
    try:
        yield service
    finally:
        service.stop()


def set_by(folder: Path, seconds: float) -> None:
    """Seconds from the true time; never half written."""
    (folder / "next").write_text(f"{seconds:+.1f}")
    (folder / "next").rename(folder / CLOCK)


def noted(found: Outcome, watchers: list[Watcher], now: float) -> None:
    found.cut = sum(watcher.cut for watcher in watchers)
    found.ping = max(longest([*watcher.pings, now]) for watcher in watchers)
    found.tick = max(longest(watcher.heard) for watcher in watchers)
    found.columns = sum(len(watcher.times) for watcher in watchers)
    found.negative = sum(watcher.negative for watcher in watchers)
    found.disordered = sum(watcher.disordered() for watcher in watchers)
