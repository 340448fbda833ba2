"""Hostile requests over HTTP, and connections that never finish one, while others are served."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import node
from tests.chaos.processes import ROOT
from tests.conformance.peer import dialled
from tests.faults.flood import RIGHT
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import played
from tests.faults.serving import HOST, Serving, harmed, serving, viewers
from tests.server.test_arrivals import UNFINISHED

TITLE = "B2: hostile requests over HTTP"
REQUESTS, SLOW, VIEWERS = 200_000, 500, 10
RATE = 500.0
"""Requests a second: about half of what the service and the flood can do on two cores."""
UNHURT = 10.0
"""Seconds of asking that make a percentile."""
EVERY = 0.02
"""Seconds from one healthy request to the next."""
PATIENCE, SWEEP = 10, 1
"""`server.websocket.handshake_timeout` and `.sweep_interval`: H and S of docs/liveness.md, by default."""
DRIP = 0.5
"""Seconds from one byte to the next."""
LATE = 0.25
"""Seconds that this process, too, may be late in seeing a connection's end."""


@dataclass
class Outcome:
    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    smuggled: list[str] = field(default_factory=list)
    endured: list[float] = field(default_factory=list)
    """Seconds that each unfinished request lasted."""
    alone: list[float] = field(default_factory=list)
    """Seconds of healthy requests, and beside what."""
    beside_slow: list[float] = field(default_factory=list)
    beside_right: list[float] = field(default_factory=list)
    beside_hostile: list[float] = field(default_factory=list)
    harmed: list[str] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    """Descriptors, sessions and tasks beyond those at the beginning."""
    lines: list[str] = field(default_factory=list)


def rows(options: Options) -> Iterator[Row]:
    yield from told(played(lambda folder: campaign(folder, options.of(REQUESTS), SLOW, options.seed)))


def told(found: Outcome) -> Iterator[Row]:
    yield Row(f"requests of {len(kinds(found))} kinds: {', '.join(kinds(found))}", found.statuses.total())
    yield Row("answered with 2xx, 3xx, 4xx, not at all", by_class(found))
    yield Row("answered with 5xx", len(found.failures), not found.failures)
    yield Row("requests within a request that were answered", len(found.smuggled), not found.smuggled)
    longest = max(found.endured, default=0.0)
    allowed = PATIENCE + SWEEP
    what = f"unfinished requests, silent or dripping, and the longest lasted (H + S = {allowed} s)"
    yield Row(what, f"{len(found.endured)}, {longest:.2f} s", longest <= allowed + LATE)
    yield ratio("beside them", found.beside_slow, found.alone)
    yield ratio(f"beside {RATE:.0f} hostile requests a second", found.beside_hostile, found.alone)
    yield ratio("the same, against as many right ones", found.beside_hostile, found.beside_right)
    yield Row(f"of {VIEWERS} viewers, cut or without a column", len(found.harmed), not found.harmed)
    for name, left in found.left.items():
        yield Row(f"{name} beyond those at the beginning", left, left <= 0)
    yield Row("warnings in the log", len(found.lines), not found.lines)


def kinds(found: Outcome) -> list[str]:
    return sorted({key.split()[0] for key in found.statuses})


def by_class(found: Outcome) -> str:
    """1xx, which is an upgrade, counts as a success."""
    classes = Counter[int]()
    for key, count in found.statuses.items():
        classes[max(2, int(key.split()[1]) // 100) if key.split()[1] != "0" else 0] += count
    return ", ".join(f"{classes[each]:,}" for each in (2, 3, 4, 0))


def ratio(beside: str, times: Sequence[float], against: Sequence[float]) -> Row:
    """A healthy request may take twice as long."""
    here, there = percentile(times), percentile(against)
    number = f"{here * 1000:.1f} ms, {there * 1000:.1f} ms: {here / there:.1f}"
    return Row(f"p99 of a healthy request {beside}, without, and their ratio", number, here <= 2 * there)


def percentile(times: Sequence[float], share: float = 0.99) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


async def campaign(
    folder: Path,
    requests: int,
    slow: int,
    seed: int,
    rate: float = RATE,
    unhurt: float = UNHURT,
    patience: int = PATIENCE,
) -> Outcome:
    found = Outcome()
    tasks = folder / "tasks"
    await asyncio.to_thread(node.built_page)  # Without a page all that asks for it is told 503.
    command = (sys.executable, str(Path(__file__).with_name("counted.py")), str(tasks), "serve")
    settings = {
        "SERVER__WEBSOCKET__HANDSHAKE_TIMEOUT": f"{patience}s",
        "SERVER__WEBSOCKET__MAX_CLIENTS": "500",
    }
    async with serving(folder, command, **settings) as service:
        async with viewers(service, VIEWERS) as watching:
            before = await held(service, tasks)
            async with asking(service, found.alone):
                await asyncio.sleep(unhurt)
            async with asking(service, found.beside_slow):
                found.endured = await asyncio.gather(*(endured(service.port, n) for n in range(slow)))
            progress(f"unfinished requests lasted {max(found.endured, default=0):.2f} s")
            async with asking(service, found.beside_right):
                await flood(service, seed, round(rate * unhurt), rate, "right")
            async with asking(service, found.beside_hostile):
                came = await flood(service, seed, requests, rate, "hostile")
            found.statuses.update(came["statuses"])
            found.failures, found.smuggled = came["failures"], came["smuggled"]
            progress(f"failures: {found.failures[:5]}, smuggled: {found.smuggled[:5]}")
            after = await settled(service, tasks, before)
            found.harmed = harmed(watching)
        found.left = {name: after[name] - before[name] for name in before}
        found.lines = service.log_lines("WARNING", "ERROR", "Traceback")
        progress("\n".join(found.lines[:5]))
    return found


async def held(service: Serving, tasks: Path) -> dict[str, int]:
    """What a leak would add to."""
    count = await asyncio.to_thread(counted, service, tasks)
    metrics = await service.metrics()
    return {
        "descriptors, but for files of the kernel,": service.descriptors().total(),
        "sessions": round(metrics["monitor_clients"]),
        "sessions without a socket, sockets without a session": round(
            metrics["monitor_zombies_total"] + metrics["monitor_orphans_total"]
        ),
        "tasks": count,
    }


def counted(service: Serving, tasks: Path) -> int:
    """How many tasks its event loop has (tests/faults/counted.py)."""
    tasks.unlink(missing_ok=True)
    service.send(signal.SIGUSR1)
    while not (tasks.exists() and (text := tasks.read_text()).endswith("\n")):
        time.sleep(0.01)
    return int(text)


async def settled(service: Serving, tasks: Path, before: dict[str, int]) -> dict[str, int]:
    """What is held when what was cut off last has been swept, or should have been."""
    end = time.monotonic() + PATIENCE + 2 * SWEEP + 1
    while True:
        now = await held(service, tasks)
        if all(now[name] <= before[name] for name in before) or time.monotonic() > end:
            return now
        await asyncio.sleep(SWEEP / 4)


async def flood(service: Serving, seed: int, count: int, rate: float, what: str) -> Any:
    arguments = (str(service.port), str(seed), str(count), str(rate), what)
    command = (sys.executable, "-m", "tests.faults.flood", *arguments)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    try:
        return json.loads((await process.communicate())[0])
    finally:
        with suppress(ProcessLookupError):
            process.kill()


@asynccontextmanager
async def asking(service: Serving, times: list[float]) -> AsyncIterator[None]:
    """Healthy requests, each on a connection of its own, and how long each took."""

    async def on_and_on() -> None:
        while True:
            began = time.perf_counter()
            async with dialled(service.port) as (reader, writer):
                writer.write(RIGHT)
                await reader.readuntil(b"\r\n\r\n")
            times.append(time.perf_counter() - began)
            await asyncio.sleep(EVERY)

    task = asyncio.create_task(on_and_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def endured(port: int, number: int) -> float:
    """Seconds until an unfinished request is closed; every other one drips on, a byte at a time."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(HOST, port)
    sent = list(UNFINISHED.values())[number % len(UNFINISHED)]
    dripping = asyncio.create_task(drip(writer, sent if number % 2 else b""))
    try:
        if not number % 2:
            writer.write(sent)
        with suppress(OSError):
            await reader.read()
        return time.monotonic() - began
    finally:
        dripping.cancel()
        writer.transport.abort()


async def drip(writer: asyncio.StreamWriter, sent: bytes) -> None:
    for byte in sent:
        writer.write(bytes([byte]))
        await asyncio.sleep(DRIP)
