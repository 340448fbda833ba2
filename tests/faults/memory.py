"""Little memory: the service in a cgroup (cgroups(7)), full of viewers who read nothing, and asked much."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from tests.chaos.book import Book
from tests.chaos.line import ClosedError, Line
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import played
from tests.faults.serving import Serving, harmed, viewers
from tests.service import SERVE

TITLE = "R2: little memory"
RUNS, HEALTHY = 100, 2
MIB = 1 << 20
LEAST, MOST = 64 * MIB, 128 * MIB
"""Of the limits."""
TOO_SMALL = 38 * MIB
"""Less than the service needs alone: the limit of every fourth run, for it to be killed."""
SIGNS = "WARNING", "ERROR", "Traceback"
BACKLOG, VIEWER = 4 * MIB, 376 << 10
"""`server.websocket.backlog`, and what docs/liveness.md (G2) reckons for one viewer, by default."""
BEYOND, QUESTIONS = 20, 10
"""Viewers beyond those that there is room for, and answers of all series at once."""
GROUPS = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
"""Where memory is limited in version 1, and in version 2."""
LIMITS = "memory.limit_in_bytes", "memory.max"
ENDS = TimeoutError, OSError, EOFError, ClosedError


@dataclass
class Outcome:
    ended: Counter[str] = field(default_factory=Counter)
    stalled: int = 0
    refused: int = 0
    answered: int = 0
    wrong: list[str] = field(default_factory=list)


def missing() -> str:
    """Why no memory cgroup can be made here; empty where one can."""
    try:
        with limited(MOST):
            return ""
    except OSError as error:
        return f"a memory cgroup cannot be made here ({error}); RLIMIT_AS bounds addresses, not memory"


@contextmanager
def limited(limit: int) -> Iterator[Path]:
    """The file that takes processes into a group which may have so many bytes; for this the user is root."""
    kind = next((place for place, name in enumerate(LIMITS) if list(GROUPS[place].glob(f"*/{name}"))), 0)
    group = GROUPS[kind] / f"monitor-faults-{os.getpid()}"
    group.mkdir()
    try:
        (group / LIMITS[kind]).write_text(str(limit))
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


def rows(options: Options) -> Iterator[Row]:
    if why := missing():
        yield Row(f"not run: {why}", 0, held=False)
        return
    found, random = Outcome(), Random(options.seed)
    for number in range(options.of(RUNS)):
        limit = TOO_SMALL if number % 4 == 3 else random.randrange(LEAST, MOST)
        played(partial(run, limit=limit, found=found))
        if number % 10 == 9:
            progress(f"{number + 1} runs: {dict(found.ended)}, wrong: {found.wrong[:5]}")
    yield from told(found)


def told(found: Outcome) -> Iterator[Row]:
    small, killed = f"{TOO_SMALL // MIB} MiB", found.ended["killed"]
    yield Row(f"runs of 64 to 128 MiB, and of {small}", found.ended.total())
    yield Row("viewers who read nothing", found.stalled)
    yield Row("viewers refused, as there was no room for them", found.refused, found.refused > 0)
    yield Row("answers of all series at once", found.answered)
    yield Row("killed by the kernel for want of memory, with 64 MiB or more", killed, not killed)
    yield Row(f"killed with {small}, and well after a start with more", found.ended["killed, too small"])
    yield Row("not as promised", len(found.wrong), not found.wrong)


async def run(folder: Path, limit: int, found: Outcome) -> None:
    """Load a service that may have so many bytes; where it is killed, see that it starts again."""
    room = (max(limit, LEAST) // 2 - BACKLOG) // VIEWER
    small = limit < LEAST
    with limited(limit) as group:
        service = started(folder, group, room)
        killed = not await asyncio.to_thread(begun, service)
        if not killed:
            before = list(found.wrong)
            await loaded(service, room, found)
            killed = service.process is not None and service.process.poll() == -signal.SIGKILL
            if killed:
                found.wrong = before  # Who is killed cuts everybody.
            await asyncio.to_thread(ended, service, killed)
    found.ended[("killed, too small" if small else "killed") if killed else "lived on"] += 1
    if killed:
        with limited(MOST) as group:
            await ready(started(folder, group, room), found)


async def ready(service: Serving, found: Outcome) -> None:
    """Start a service where another was killed, and see that nothing is amiss."""
    said = len(service.log_lines(*SIGNS))
    await asyncio.to_thread(service.start)
    try:
        async with viewers(service, 1):
            await service.get("readyz")
    except (TimeoutError, OSError, HTTPClientError) as error:
        found.wrong.append(f"not ready after a kill: {error}")
    finally:
        await asyncio.to_thread(service.stop)
    found.wrong += [f"after a kill: {line}" for line in service.log_lines(*SIGNS)[said:]]


def started(folder: Path, group: Path, room: int) -> Serving:
    """A service that a shell puts into the group before it becomes it."""
    settings = {
        "SERVER__WEBSOCKET__MAX_CLIENTS": str(room),
        "SERVER__WEBSOCKET__PER_ADDRESS": "1000",
        "SERVER__WEBSOCKET__BACKLOG": f"{BACKLOG // MIB}MiB",
        "COLLECT__INTERVAL": "1s",
    }
    return Serving(folder, ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group), *SERVE), **settings)


def begun(service: Serving) -> bool:
    """Whether it came as far as listening."""
    try:
        service.start()
    except AssertionError:
        return False
    return True


def ended(service: Serving, killed: bool) -> None:
    if killed and service.process is not None:
        service.process.communicate()
    else:
        service.stop()


async def loaded(service: Serving, room: int, found: Outcome) -> None:
    """Healthy viewers see to the end what comes, whoever else is there."""
    async with AsyncExitStack() as stack:
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(20):
                healthy = await stack.enter_async_context(viewers(service, HEALTHY))
                crowd = [stalled(service, stack, found) for _ in range(room - HEALTHY + BEYOND)]
                await asyncio.gather(*crowd, *(asked(service, found) for _ in range(QUESTIONS)))
                await asyncio.gather(*(viewer.reach(viewer.book.n + 2) for viewer in healthy))
                found.wrong += harmed(healthy)
                return
        found.wrong.append(f"with room for {room} viewers the healthy were not served")


async def stalled(service: Serving, stack: AsyncExitStack, found: Outcome) -> None:
    """A viewer who asks for everything, and reads nothing of it."""
    try:
        line = await Line.open(service.place)
        stack.callback(line.abort)
        book = Book()
        book.welcome((await line.message())[0])
        line.send(book.ask())
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        found.stalled += 1
    except ClosedError as refusal:
        found.refused += " 503 " in str(refusal)
    except ENDS:
        return


async def asked(service: Serving, found: Outcome) -> None:
    query = quote('{__name__=~".+"}[1m]')
    with suppress(OSError, HTTPClientError):
        await AsyncHTTPClient().fetch(f"{service.url}api/v1/query?query={query}", request_timeout=15)
        found.answered += 1
