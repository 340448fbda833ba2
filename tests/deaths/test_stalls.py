"""A service that stands still for longer than every deadline cuts none of those who were there meanwhile."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.service import running

VIEWERS = 5
SETTINGS = {
    "COLLECT__INTERVAL": "200ms",
    "SERVER__WEBSOCKET__PING_INTERVAL": "1s",
    "SERVER__WEBSOCKET__PING_TIMEOUT": "1s",
    "SERVER__WEBSOCKET__NO_DRAIN": "1s",
    "SERVER__WEBSOCKET__SWEEP_INTERVAL": "200ms",
    "SERVER__WEBSOCKET__HANDSHAKE_TIMEOUT": "2s",
}
STALLS = (0.5, 2.0, 4.0)
"""Seconds; the longest is more than ping_interval + no_drain + 2 sweep_interval, and the handshake's time."""


class Viewer:
    """Reads and acknowledges all the time; `numbers` are those of its columns, in the order they came."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.cut = self.left = False
        self.changed = asyncio.Event()
        self.client: WebSocketClientConnection

    async def connect(self, url: str) -> None:
        live = url.replace("http", "ws") + "live"
        self.client = await websocket_connect(live, on_message_callback=self.take)
        await self.client.write_message(
            '{"type": "subscribe", "request": 1, "queries": ["node_boot_time_seconds"]}'
        )

    def take(self, text: str | bytes | None) -> None:
        self.changed.set()
        if text is None:
            self.cut = True
            return
        message = json.loads(text)
        if message["type"] in ("tick", "columns") and not self.left:
            self.numbers.append(message["n"])
            ack = {"type": "ack", "feed": message["feed"], "n": message["n"]}
            self.client.write_message(json.dumps(ack))

    def leave(self) -> None:
        """What is on its way is not answered any more."""
        self.left = True
        self.client.close()

    async def ticks(self, count: int) -> None:
        """Wait for so many more."""
        until = len(self.numbers) + count
        while len(self.numbers) < until:
            assert not self.cut, f"cut with {self.client.close_code}"
            self.changed.clear()
            await self.changed.wait()


async def silence(viewer: Viewer, seconds: float) -> None:
    """What was on the way comes, and then nothing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await viewer.ticks(1_000_000)


def gone(url: str) -> list[str]:
    with urlopen(f"{url}metrics") as answer:
        lines: list[str] = answer.read().decode().splitlines()
    return [
        line for line in lines if line.startswith(("monitor_sessions_gone_total", "monitor_zombies_total 1"))
    ]


@pytest.mark.gen_test(timeout=60)
async def test_a_service_that_was_stopped_loses_nobody(tmp_path: Path) -> None:
    viewers = [Viewer() for _ in range(VIEWERS)]
    with running(tmp_path, **SETTINGS) as service:
        for viewer in viewers:
            await viewer.connect(service.url)
            await viewer.ticks(2)
        for stall in STALLS:
            service.send(signal.SIGSTOP)
            await silence(viewers[0], stall)
            service.send(signal.SIGCONT)
            await asyncio.gather(*(viewer.ticks(10) for viewer in viewers))
        assert await asyncio.to_thread(gone, service.url) == []
        for viewer in viewers:
            assert viewer.numbers == sorted(set(viewer.numbers))
            viewer.leave()
        for viewer in viewers:
            while not viewer.cut:
                viewer.changed.clear()
                await viewer.changed.wait()
