"""Every way in which a connection dies, with real processes in a network namespace of the test's own.

The bound is that of monitor/stream/liveness.py.  It is measured by the clock of the sweep, which stands still
while this process cannot listen, and by which sweeps were late, so that a busy machine fails no test.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitor.app import Service
from monitor.config import load
from monitor.stream.session import Session
from tests.deaths.lateness import Lateness
from tests.network import Network, network, run

PEER = Path(__file__).with_name("peer.py")
HERE, THERE = "198.18.44.1", "198.18.44.2"
P, T, D, S = 1.0, 1.0, 1.5, 0.2
BOUND = P + max(T, D) + 2 * S
WEBSOCKET = {"ping_interval": P, "ping_timeout": T, "no_drain": D, "sweep_interval": S}


@pytest.fixture(scope="module")
def space() -> Iterator[Network]:
    with network("monitor-deaths", "mondeath", HERE, THERE) as found:
        yield found


@asynccontextmanager
async def service(tmp_path: Path) -> AsyncIterator[tuple[Service, int]]:
    flags = {
        "server.listen": f"{HERE}:0",
        "access.anonymous": "operator",
        "storage.path": str(tmp_path),
        "collect.interval": "200ms",
        **{f"server.websocket.{name}": f"{round(1000 * value)}ms" for name, value in WEBSOCKET.items()},
    }
    made = Service(load(None, {}, flags).settings)
    async with made.running() as url:
        yield made, int(url.rsplit(":", 1)[1].strip("/"))


class Watch:
    """Who has come, and who has gone, when and why; by the sweep's clock."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.gone: dict[Session, tuple[float, str]] = {}
        self.changed = asyncio.Event()
        self.late = Lateness(service.audience.awake)
        audience = service.audience
        leave = audience.leave

        def noted(session: Session, reason: str) -> None:
            if session in audience.connections:
                self.gone[session] = audience.awake(), reason
                self.changed.set()
            leave(session, reason)

        audience.leave = noted  # type: ignore[method-assign]

    async def end_of(self, session: Session) -> tuple[float, str]:
        while session not in self.gone:
            self.changed.clear()
            await self.changed.wait()
        return self.gone[session]


@asynccontextmanager
async def viewers(
    service: Service, port: int, space: Network, kinds: list[str]
) -> AsyncIterator[list[tuple[Process, Session]]]:
    """A process for each kind, each with its session, once it has been sent its first columns."""
    joined: list[tuple[Process, Session]] = []
    try:
        for kind in kinds:
            command = space.inside(sys.executable, str(PEER), HERE, str(port), kind)
            process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
            while not (await said(process)).startswith("subscribed"):
                pass
            (session,) = set(service.audience.connections) - {known for _, known in joined}
            joined.append((process, session))
        yield joined
    finally:
        for process, _ in joined:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def said(process: Process) -> str:
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert line, "the viewer ended"
    return line.decode()


async def followed(process: Process, count: int) -> list[int]:
    """The numbers of its next columns, at least so many.  On a busy machine the service may leave out a tick,
    and what a viewer missed comes as `columns`."""
    numbers: list[int] = []
    while len(numbers) < count:
        kind, *ends = (await said(process)).split()
        if kind in ("tick", "columns"):
            first, last = map(int, ends)
            numbers += range(first, last + 1)
    return numbers


def close(process: Process) -> None:
    process.send_signal(signal.SIGTERM)


def kill(process: Process) -> None:
    process.kill()


def stop(process: Process) -> None:
    process.send_signal(signal.SIGSTOP)


def nothing(_: Process) -> None:
    """It is dead from the beginning."""


@pytest.mark.parametrize(
    ("kind", "death", "reasons"),
    [
        ("healthy", close, {"closed"}),
        ("healthy", kill, {"lost"}),
        ("healthy", stop, {"no-pong", "no-progress"}),
        ("mute", nothing, {"no-pong"}),
        ("deaf", nothing, {"no-progress"}),
    ],
)
@pytest.mark.gen_test(timeout=60)
async def test_a_dead_viewer_is_gone_in_time_and_no_healthy_one(
    space: Network, tmp_path: Path, kind: str, death: Callable[[Process], None], reasons: set[str]
) -> None:
    async with service(tmp_path) as (made, port):
        watch = Watch(made)
        kinds = ["healthy", "healthy", kind]
        async with viewers(made, port, space, kinds) as (first, second, (process, session)):
            dies = made.audience.awake()
            death(process)
            at, reason = await watch.end_of(session)
            assert reason in reasons
            assert at - dies <= BOUND + watch.late.seconds
            for healthy, known in (first, second):
                numbers = await followed(healthy, 10)
                assert numbers == list(range(numbers[0], numbers[-1] + 1))
                assert known not in watch.gone
        assert made.telemetry.gone[reason] >= 1
        assert made.telemetry.zombies == made.telemetry.orphans == 0


@pytest.mark.gen_test(timeout=60)
async def test_a_link_that_is_cut_without_a_word(space: Network, tmp_path: Path) -> None:
    async with service(tmp_path) as (made, port):
        watch = Watch(made)
        async with viewers(made, port, space, ["healthy"]) as ((_, session),):
            dies = made.audience.awake()
            try:
                for chain in ("INPUT", "OUTPUT"):
                    run(*space.inside("iptables", "-w", "-A", chain, "-j", "DROP"))
                at, reason = await watch.end_of(session)
            finally:
                run(*space.inside("iptables", "-w", "-F"))
            # A ping may have come through just before, and its pong not any more.
            assert reason in ("no-progress", "no-pong")
            assert at - dies <= BOUND + watch.late.seconds
        assert len(made.audience.feeds) == 0
