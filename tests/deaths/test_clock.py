"""The wall clock may be set at any time: pings go on, nobody is cut for it, and the dead are found as ever.

Tornado's ping loop sleeps by `IOLoop.time()`, which is the wall clock, and misses every ping of the time by
which it was set back.  It is stepped here under the running service.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.app import Service
from monitor.config import load
from monitor.stream.pulse import Pulse
from tests.deaths.lateness import Lateness

P, T, D, S = 0.3, 0.3, 1.0, 0.1
FLAGS = {
    "server.listen": "127.0.0.1:0",
    "collect.interval": "200ms",
    "access.anonymous": "viewer",
    "server.websocket.ping_interval": f"{round(1000 * P)}ms",
    "server.websocket.ping_timeout": f"{round(1000 * T)}ms",
    "server.websocket.no_drain": f"{round(1000 * D)}ms",
    "server.websocket.sweep_interval": f"{round(1000 * S)}ms",
}
HOUR = 3600.0
UPGRADE = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Wall:
    step = 0.0

    def __call__(self, _loop: object = None) -> float:
        return time.time() + self.step


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wall]:
    wall = Wall()
    monkeypatch.setattr(IOLoop, "time", wall)
    yield wall
    wall.step = 0.0


class Pings:
    """Notes when each ping goes out, by the sweep's clock less what its sweeps were late by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, late: Lateness) -> None:
        self.times: list[float] = []
        self.changed = asyncio.Event()
        pinged = Pulse.pinged

        def noted(pulse: Pulse, payload: bytes, now: float) -> None:
            self.times.append(now - late.seconds)
            self.changed.set()
            pinged(pulse, payload, now)

        monkeypatch.setattr(Pulse, "pinged", noted)

    async def next(self, count: int) -> list[float]:
        """The times of the next ones, after the last that has been."""
        first = len(self.times) - 1
        while len(self.times) <= first + count:
            self.changed.clear()
            await self.changed.wait()
        return self.times[first:]


@pytest.mark.parametrize("step", [-HOUR, HOUR, -1e8, 1e8, -0.5])
@pytest.mark.gen_test(timeout=30)
async def test_pings_go_on_when_the_clock_is_set(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    made = Service(load(None, {}, {**FLAGS, "storage.path": str(tmp_path)}).settings)
    async with made.running() as url:
        client = await websocket_connect(url.replace("http", "ws") + "live")
        reading = asyncio.create_task(read(client))
        pings = Pings(monkeypatch, Lateness(made.audience.awake))
        await pings.next(2)
        wall.step = step
        times = await pings.next(6)
        assert max(later - earlier for earlier, later in pairwise(times)) <= P + 3 * S
        assert made.telemetry.gone == {}
        while made.telemetry.round_trip_seconds.count < 6:
            await pings.next(1)
    client.close()
    await reading


async def read(client: WebSocketClientConnection) -> None:
    while await client.read_message() is not None:
        pass


@pytest.mark.gen_test(timeout=30)
async def test_the_dead_are_found_when_the_clock_is_set_back(tmp_path: Path, wall: Wall) -> None:
    made = Service(load(None, {}, {**FLAGS, "storage.path": str(tmp_path)}).settings)
    async with made.running() as url:
        with socket.create_connection(("127.0.0.1", int(url.split(":")[2].strip("/")))) as dead:
            dead.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(dead, UPGRADE)
            while not made.audience.connections:
                await asyncio.get_running_loop().sock_recv(dead, 4096)
            wall.step = -HOUR
            begun, late = made.audience.awake(), Lateness(made.audience.awake)
            with suppress(ConnectionResetError):
                while await asyncio.get_running_loop().sock_recv(dead, 4096):
                    pass
            assert made.audience.awake() - begun <= P + max(T, D) + 3 * S + late.seconds
        assert made.telemetry.gone == {"no-pong": 1}
