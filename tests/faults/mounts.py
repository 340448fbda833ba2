"""Mounts that never answer: what hangs on them is marked, and neither the others nor a restart wait for it.

It is played in name spaces of its own (mounts, processes), so that nothing else here sees those mounts.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.faults import alone
from tests.faults.options import Options, progress
from tests.faults.row import Row, within
from tests.faults.watcher import Watcher, longest, watched
from tests.service import Service, running

TITLE = "H1: mounts that never answer"
MOUNTS, RESTARTS, VIEWERS = 10, 10, 5
INTERVAL = 1.0
SETTINGS = {"COLLECT__INTERVAL": "1s", "COLLECT__COLLECTORS__FILESYSTEM__TIMEOUT": "1s"}
MARKED = 10.0
"""Seconds within which each is marked: two intervals of the collector."""
STOPPED = 5.0
PATIENCE = 60


@dataclass
class Outcome:
    mounts: int = 0
    restarts: int = 0
    marked: list[float] = field(default_factory=list)
    """Seconds from each start until every one of them was marked."""
    answered: int = 0
    """Other mounts, whose sizes went on coming."""
    stops: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    hanging: list[int] = field(default_factory=list)
    """Processes that SIGKILL could not end, after each stop."""
    tick: float = 0
    columns: int = 0
    missing: int = 0
    cut: int = 0
    left: int = 0
    """Processes that hang when the mounts are gone."""


def rows(options: Options) -> Iterator[Row]:
    if missing := impossible():
        yield Row(missing, "not run", held=False)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = apart(Path(folder), MOUNTS, options.of(RESTARTS), VIEWERS)
    yield from told(found)


def told(found: Outcome) -> Iterator[Row]:
    yield Row("mounts whose statfs(2) never returns, at once", found.mounts)
    yield Row("restarts while they hang", found.restarts)
    outlived = all(count >= found.mounts for count in found.hanging)
    yield Row("processes that outlived SIGKILL, after the first stop", found.hanging[0], outlived)
    yield Row("and after the last", found.hanging[-1], outlived)
    yield within("longest time until all were marked, s", max(found.marked), MARKED)
    yield Row("other mounts, which went on answering", found.answered, found.answered > 0)
    yield within("longest stop, s", max(found.stops), STOPPED)
    yield Row("longest start on the same port, s", f"{max(found.starts):.2f}")
    yield within("longest time between two ticks, s", found.tick, 2 * INTERVAL)
    yield Row("columns sent to viewers", found.columns)
    yield Row("of them missing", found.missing, not found.missing)
    yield Row("viewers cut but by a stop", found.cut, not found.cut)
    yield Row("processes that hang when the mounts are gone", found.left, not found.left)


def impossible() -> str | None:
    """What is missing for it here."""
    if os.geteuid() or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "to mount by FUSE takes root and /dev/fuse"
    return alone.impossible("mount")


def apart(folder: Path, mounts: int, restarts: int, viewers: int, **settings: str) -> Outcome:
    """The campaign in name spaces of its own."""
    return Outcome(**alone.alone("tests.faults.mounts", [str(folder), mounts, restarts, viewers, settings]))


async def campaign(
    folder: Path, mounts: int, restarts: int, viewers: int, settings: dict[str, str]
) -> Outcome:
    found = Outcome(mounts, restarts)
    with running(folder, **{**SETTINGS, **settings}) as service, mute(folder, mounts) as points:
        for number in range(restarts + 1):
            async with watched(service.url, viewers) as watchers:
                await judged(found, service, points, watchers)
                found.stops.append(await timed(service.stop))
            found.hanging.append(hanging())
            found.starts.append(await timed(service.start))
            progress(f"stop {number}: {found.stops[-1]:.2f} s, {found.hanging[-1]} hang")
    began = time.monotonic()
    while hanging() and time.monotonic() - began < PATIENCE:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    found.left = hanging()
    return found


async def timed(what: Callable[[], None]) -> float:
    began = time.monotonic()
    await asyncio.to_thread(what)
    return time.monotonic() - began


async def judged(found: Outcome, service: Service, points: list[str], watchers: list[Watcher]) -> None:
    """Until all are marked, and then some ticks more."""
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE):
        while True:
            await asyncio.gather(*(watcher.ticks(1) for watcher in watchers))
            errors = await asyncio.to_thread(asked, service.url, "node_filesystem_device_error")
            if all(errors.get(point) == 1 for point in points):
                break
    found.marked.append(time.monotonic() - began)
    await asyncio.gather(*(watcher.ticks(3) for watcher in watchers))
    sizes = await asyncio.to_thread(asked, service.url, "node_filesystem_size_bytes")
    found.answered = len(sizes.keys() - set(points))
    found.cut += sum(watcher.cut for watcher in watchers)
    found.columns += sum(len(watcher.times) for watcher in watchers)
    found.missing += sum(watcher.missing() for watcher in watchers)
    found.tick = max(found.tick, *(longest(watcher.heard) for watcher in watchers))


def asked(url: str, query: str) -> dict[str, float]:
    """The values of a metric now, by mount point."""
    with urlopen(f"{url}api/v1/query?{urlencode({'query': query})}") as answer:
        result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return {each["metric"]["mountpoint"]: float(each["value"][1]) for each in result}


@contextmanager
def mute(folder: Path, count: int) -> Iterator[list[str]]:
    """Mount points of file systems that answer nothing."""
    points = [folder / f"mute{number}" for number in range(count)]
    for point in points:
        point.mkdir()
    command = [sys.executable, "-m", "tests.faults.mute", *map(str, points)]
    with subprocess.Popen(command, cwd=alone.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"mounted\n"
        yield [str(point) for point in points]
        process.communicate()
    subprocess.run(["umount", "-l", *map(str, points)], check=True)


def hanging() -> int:
    """Workers of the services that were killed and have not ended."""
    count = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            lines = status.read_text().splitlines()
            state = next(line.split()[1] for line in lines if line.startswith("State:"))
            pending = next(int(line.split()[1], 16) for line in lines if line.startswith("ShdPnd:"))
            count += state == "D" and bool(pending >> (signal.SIGKILL - 1) & 1)
    return count


if __name__ == "__main__":
    place, mounts, restarts, viewers, given = json.loads(sys.argv[1])
    print(json.dumps(asdict(asyncio.run(campaign(Path(place), mounts, restarts, viewers, given)))))  # noqa: T201
