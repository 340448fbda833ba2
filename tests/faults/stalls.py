"""A service that stands still: stopped and set going again, for longer than any deadline of its viewers."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults.figures import asked, gone
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import SHORT, played
from tests.faults.watcher import Watcher, watched
from tests.service import Service, running

TITLE = "V5: the service stands still"
STALLS, VIEWERS = 30, 50
SHORTEST, LONGEST = 0.5, 30.0
"""Seconds.  All deadlines below are about one, so that nearly every stall is beyond all of them."""
SETTINGS = {
    **SHORT,
    "SERVER__WEBSOCKET__PER_ADDRESS": "200",
}
TICKS = 4
"""That all viewers are sent between two stalls."""
PATIENCE = 30


@dataclass
class Outcome:
    stalls: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    """Seconds from the end of each stall until every viewer had a tick again."""
    viewers: int = 0
    cut: int = 0
    gone: float = 0
    """Sessions that the service says have ended."""
    columns: int = 0
    missing: int = 0
    disordered: int = 0


def rows(options: Options) -> Iterator[Row]:
    random = Random(options.seed)
    longest = LONGEST if options.share >= 1 else max(2.0, LONGEST * options.share)
    stalls = [SHORTEST * (longest / SHORTEST) ** random.random() for _ in range(options.of(STALLS))]
    yield from told(played(lambda folder: campaign(folder, [*stalls[1:], longest], VIEWERS)))


def told(found: Outcome) -> Iterator[Row]:
    yield Row("stalls (SIGSTOP), every deadline being about 1 s", len(found.stalls))
    yield Row("shortest and longest, s", f"{min(found.stalls):.1f}, {max(found.stalls):.1f}")
    yield Row("viewers, all healthy", found.viewers)
    yield Row("of them closed", found.cut, not found.cut)
    yield Row("sessions ended by the service's own count", round(found.gone), not found.gone)
    late = max(found.back)
    yield Row("longest time from a stall's end to a tick at every viewer, s", f"{late:.2f}", late <= 3)
    yield Row("columns sent", found.columns)
    yield Row("of them missing or out of order", found.missing + found.disordered, clean(found))


def clean(found: Outcome) -> bool:
    return not found.missing and not found.disordered


async def campaign(folder: Path, stalls: list[float], viewers: int) -> Outcome:
    found = Outcome(viewers=viewers)
    with running(folder, **SETTINGS) as service:
        async with watched(service.url, viewers) as watchers:
            for seconds in stalls:
                found.back.append(await stalled(service, seconds, watchers))
                found.stalls.append(seconds)
                progress(f"{seconds:.1f} s, ticks again after {found.back[-1]:.2f} s")
                async with asyncio.timeout(PATIENCE):
                    await asyncio.gather(*(watcher.ticks(TICKS) for watcher in watchers))
            found.gone = gone(await asyncio.to_thread(asked, service.url))
            found.cut = sum(watcher.cut for watcher in watchers)
            found.columns = sum(len(watcher.times) for watcher in watchers)
            found.missing = sum(watcher.missing() for watcher in watchers)
            found.disordered = sum(watcher.disordered() for watcher in watchers)
    return found


async def stalled(service: Service, seconds: float, watchers: list[Watcher]) -> float:
    """Stop it for so long; how long afterwards it takes until everybody has a tick."""
    service.send(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    service.send(signal.SIGCONT)
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(watcher.ticks(1) for watcher in watchers))
    return time.monotonic() - began
