"""A viewer that does nothing wrong, and does not come back once it was cut; it notes what it was sent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

QUERIES = (
    "node_boot_time_seconds",
    "rate(node_context_switches_total[$__rate_interval])",
    "sum by (mode) (rate(node_cpu_seconds_total[$__rate_interval]))",
)
"""None of them is ever below zero."""


class Watcher:
    """Reads, answers pings and acknowledges."""

    def __init__(self) -> None:
        self.times: list[int] = []
        """Of its columns, in the order they came; ms."""
        self.ticked: set[int] = set()
        """Times at which something was measured, as it was told when it was the newest; ms."""
        self.heard: list[float] = []
        """When ticks came, in seconds of the monotonic clock."""
        self.pings: list[float] = []
        self.negative = 0
        """Values below zero."""
        self.step = 0
        self.cut = False
        self._changed = asyncio.Event()
        self._client: WebSocketClientConnection

    async def connect(self, url: str) -> None:
        self._client = await websocket_connect(
            url.replace("http", "ws") + "live", on_message_callback=self._take
        )
        self._client.on_ping = self._pinged  # type: ignore[method-assign]
        subscription = {"type": "subscribe", "request": 1, "queries": QUERIES, "range": 60_000}
        await self._client.write_message(json.dumps(subscription))
        await self.ticks(2)

    async def ticks(self, count: int) -> None:
        """Wait for so many more; returns early when it is cut."""
        goal = len(self.heard) + count
        await self.until(lambda: self.cut or len(self.heard) >= goal)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        self._client.close()
        await self.until(lambda: self.cut)

    def missing(self) -> int:
        """Columns left out between the first and the last."""
        return sum(
            max(0, later - earlier - self.step) // self.step for earlier, later in pairwise(self.times)
        )

    def disordered(self) -> int:
        """Columns whose time is not after the one before."""
        return sum(later <= earlier for earlier, later in pairwise(self.times))

    def _take(self, text: str | bytes | None) -> None:
        self._changed.set()
        if text is None:
            self.cut = True
            return
        message = json.loads(text)
        if message["type"] == "welcome":
            self.step = message["step"]
        elif message["type"] == "tick":
            self._hold([message["t"]], [message["v"]], message)
        elif message["type"] in ("subscribed", "columns"):
            self._hold(message["columns"]["t"], message["columns"]["v"], message)

    def _pinged(self, data: bytes) -> None:
        self.pings.append(time.monotonic())

    def _hold(self, times: list[int], values: list[list[float | None]], message: dict[str, Any]) -> None:
        self.times += times
        self.negative += sum(value is not None and value < 0 for row in values for value in row)
        if message["type"] != "subscribed":
            self.heard.append(time.monotonic())
            self.ticked.update(times[-1:])
        ack = {"type": "ack", "feed": message["feed"], "n": message["n"]}
        self._client.write_message(json.dumps(ack))


def longest(moments: list[float]) -> float:
    """The longest time between two that follow one another; seconds."""
    return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)


@asynccontextmanager
async def watched(url: str, count: int) -> AsyncIterator[list[Watcher]]:
    """So many viewers, who have all been sent ticks."""
    watchers = [Watcher() for _ in range(count)]
    await asyncio.gather(*(watcher.connect(url) for watcher in watchers))
    try:
        yield watchers
    finally:
        await asyncio.gather(*(watcher.close() for watcher in watchers))
