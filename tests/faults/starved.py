"""Little CPU: busy loops beside a service that yields to them (nice(1)), and viewers who must not be cut."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.figures import gone
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import played
from tests.faults.serving import PATIENCE, harmed, serving, viewers

TITLE = "R3: little CPU"
LOOPS, VIEWERS = 4, 50
NICE = 0, 5, 10
"""How far the service stands back, one after the other."""
LASTS = 30.0
"""Seconds of each."""
BUSY = (sys.executable, "-c", "while True: pass")


@dataclass
class Outcome:
    shares: list[float] = field(default_factory=list)
    """Of a core, what the service was left, by niceness."""
    columns: list[int] = field(default_factory=list)
    """Passes over the host, by niceness."""
    verdicts: int = 0
    """Sessions that the service ended."""
    harmed: list[str] = field(default_factory=list)
    zombies: int = 0


def rows(options: Options) -> Iterator[Row]:
    yield from told(played(lambda folder: campaign(folder, LASTS * options.share, NICE)), NICE)


def told(found: Outcome, nice: Sequence[int]) -> Iterator[Row]:
    levels = ", ".join(map(str, nice))
    shares = ", ".join(f"{share:.1%}" for share in found.shares)
    yield Row(f"of a core, taken by the service beside {LOOPS} busy loops, at nice {levels}", shares)
    yield Row("passes over the host meanwhile, one a second", ", ".join(map(str, found.columns)))
    yield Row(f"of {VIEWERS} viewers, ended by the service", found.verdicts, not found.verdicts)
    yield Row("cut, or without a column", len(found.harmed), not found.harmed)
    yield Row("sessions without a socket, sockets without a session", found.zombies, not found.zombies)


async def campaign(folder: Path, lasts: float, nice: Sequence[int]) -> Outcome:
    found = Outcome()
    async with serving(folder, COLLECT__INTERVAL="1s") as service, viewers(service, VIEWERS) as watching:
        before = gone(await service.metrics())
        for level in nice:
            os.setpriority(os.PRIO_PROCESS, service.pid, level)
            cpu, column = service.cpu(), watching[0].book.n
            async with busy():
                await asyncio.sleep(lasts)
            found.shares.append((service.cpu() - cpu) / lasts)
            found.columns.append(watching[0].book.n - column)
            progress(f"nice {level}: {found.shares[-1]:.1%}, {harmed(watching)[:3]}")
        async with asyncio.timeout(PATIENCE):
            goal = watching[0].book.n + 2
            await asyncio.gather(*(viewer.reach(goal) for viewer in watching))
        found.harmed = harmed(watching)
        found.verdicts = round(gone(await service.metrics()) - before)
        metrics = await service.metrics()
        found.zombies = round(metrics["monitor_zombies_total"] + metrics["monitor_orphans_total"])
    return found


@asynccontextmanager
async def busy() -> AsyncIterator[None]:
    loops = [await asyncio.create_subprocess_exec(*BUSY) for _ in range(LOOPS)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
        await asyncio.gather(*(loop.wait() for loop in loops))
