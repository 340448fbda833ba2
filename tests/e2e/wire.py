"""What came over the live stream, and whether a column is missing in it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, WebSocket

Message = dict[str, Any]


class Wire:
    """Messages that a page received, in order, over all its connections."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = asyncio.Event()

    def received(self, text: str | bytes) -> None:
        self.messages.append(json.loads(text))
        self._changed.set()

    def of(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message["type"] == kind]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when what has come makes the condition true."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def more(self, kind: str, count: int = 1) -> None:
        """Return when that many more messages of a kind have come."""
        goal = len(self.of(kind)) + count
        await self.until(lambda: len(self.of(kind)) >= goal)

    def times(self) -> list[int]:
        """Timestamps of the columns that came, in order."""
        times: list[int] = []
        for message in self.messages:
            if message["type"] == "tick":
                times.append(message["t"])
            elif message["type"] in {"subscribed", "columns"}:
                times += message["columns"]["t"]
        return times

    def assert_whole(self) -> None:
        """No column was lost, and none came twice."""
        step = self.of("welcome")[0]["step"]
        times = self.times()
        assert times == list(range(times[0], times[-1] + step, step))


def tap(page: Page) -> Wire:
    """Listen to the connections that a page opens from now on."""
    wire = Wire()

    def opened(socket: WebSocket) -> None:
        socket.on("framereceived", wire.received)

    page.on("websocket", opened)
    return wire
