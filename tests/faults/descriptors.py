"""No descriptors left: floods of connections at a service that may open few files (prlimit(2))."""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from monitor.server.descriptors import BESIDES
from tests.chaos.viewer import Viewer
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import played
from tests.faults.serving import HOST, Serving, harmed, serving, viewers
from tests.service import SERVE

TITLE = "R1: no descriptors left"
FLOODS, VIEWERS = 100, 5
CLIENTS = 8
KNOWN = BESIDES + CLIENTS
"""The limit that the service starts with, the lowest that it takes, and which every other flood meets."""
LEAST, MOST = 8, 96
"""Descriptors more than it holds, of the limits that it is given while it runs."""
BEYOND = 50
"""Connections of a flood beyond the limit."""
LASTS = 2.5
"""Seconds of a flood."""
AGAIN = 0.1
"""Seconds until somebody who was turned away knocks again."""
SOON = 2.0
"""Seconds within which a newcomer must be served again."""
CHEAP = 0.1
"""Of a core, what a flood may cost."""
SIGNS = "WARNING", "ERROR", "Traceback"


@dataclass
class Outcome:
    cpu: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    """Seconds until a newcomer was served again, flood by flood."""
    refused: int = 0
    without: list[str] = field(default_factory=list)
    """Floods that nobody was turned away from."""
    lines: list[str] = field(default_factory=list)
    minutes: float = 0.0
    harmed: list[str] = field(default_factory=list)
    descriptors: Counter[str] = field(default_factory=Counter)
    """More than there were, by what they are."""


def rows(options: Options) -> Iterator[Row]:
    yield from told(played(lambda folder: campaign(folder, options.of(FLOODS), options.seed)))


def told(found: Outcome) -> Iterator[Row]:
    limits = f"{LEAST} to {MOST} descriptors more than it holds, and of {KNOWN}"
    yield Row(f"floods, at limits of {limits}", len(found.recoveries))
    yield Row("connections turned away", found.refused)
    yield Row("floods that nobody was turned away from", len(found.without), not found.without)
    yield Row(f"of {VIEWERS} viewers, cut or without a column", len(found.harmed), not found.harmed)
    most = max(said_by(found.lines).values(), default=0)
    lines = f"{most} in {found.minutes:.1f} min"
    yield Row("warnings of one part of the service, at most one a minute", lines, most <= 1 + found.minutes)
    yield Row("warnings of all parts", len(found.lines))
    worst, mean = max(found.cpu), sum(found.cpu) / len(found.cpu)
    cost = f"{worst:.1%}, {mean:.1%}"
    yield Row("of a core during a flood, at the most and on average", cost, worst < CHEAP)
    slowest = max(found.recoveries)
    yield Row("seconds until a newcomer is served again, at the most", f"{slowest:.2f}", slowest <= SOON)
    more = found.descriptors.total()
    yield Row("descriptors, but for files of the kernel, beyond those at the beginning", more, not more)


def said_by(lines: list[str]) -> Counter[str]:
    """Lines of the log by the part: the logger, and what follows, as each collector is a part."""
    return Counter(" ".join(line.split()[2:5]) for line in lines)


async def campaign(folder: Path, floods: int, seed: int, lasts: float = LASTS) -> Outcome:
    found, random = Outcome(), Random(seed)
    settings = {"SERVER__WEBSOCKET__MAX_CLIENTS": str(CLIENTS), "COLLECT__INTERVAL": "1s"}
    limited = ("prlimit", f"--nofile={KNOWN}:{KNOWN}", *SERVE)
    async with serving(folder, limited, **settings) as service, viewers(service, VIEWERS) as watching:
        await served(service)
        began, descriptors = time.monotonic(), service.descriptors()
        for number in range(floods):
            limit = KNOWN if number % 2 else service.files() + random.randint(LEAST, MOST)
            await flooded(service, limit, lasts, found)
            if number % 10 == 9:
                progress(f"{number + 1} floods, recovery {max(found.recoveries):.2f} s")
        found.minutes = (time.monotonic() - began) / 60
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (KNOWN, KNOWN))
        found.harmed = await lived_on(watching)
        found.descriptors = service.descriptors() - descriptors
        found.lines = service.log_lines(*SIGNS)
        progress("\n".join(found.lines))
    return found


async def lived_on(watching: list[Viewer]) -> list[str]:
    """Who was harmed, once each has had another column."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LASTS * 2):
            await asyncio.gather(*(viewer.reach(viewer.book.n + 1) for viewer in watching))
            return harmed(watching)
    return ["not every viewer has had another column", *harmed(watching)]


async def flooded(service: Serving, limit: int, lasts: float, found: Outcome) -> None:
    resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (limit, KNOWN))
    refused, cpu, began = [0], service.cpu(), time.monotonic()
    crowd = [asyncio.create_task(knocking(service.port, refused)) for _ in range(limit + BEYOND)]
    await asyncio.sleep(lasts)
    found.cpu.append((service.cpu() - cpu) / (time.monotonic() - began))
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    freed = time.monotonic()
    await served(service)
    found.recoveries.append(time.monotonic() - freed)
    found.refused += refused[0]
    if not refused[0]:
        found.without.append(f"limit {limit}")


async def knocking(port: int, refused: list[int]) -> None:
    """Hold a connection without a word, and knock again when it is taken away."""
    while True:
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            with suppress(OSError):
                answer = await reader.read()
                refused[0] += b" 503 " in answer
        finally:
            writer.transport.abort()
        await asyncio.sleep(AGAIN)


async def served(service: Serving) -> None:
    """Until a newcomer gets an answer that is no refusal."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(HOST, service.port)
            try:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if b" 200 " in (await reader.read()).partition(b"\r\n")[0]:
                    return
            finally:
                writer.transport.abort()
        await asyncio.sleep(0.02)
