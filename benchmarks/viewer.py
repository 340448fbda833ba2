"""One viewer of the overview, as the page is one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from benchmarks.server import Server


async def watch(server: Server, ticks: int) -> list[str]:
    """Subscribe, acknowledge every tick, and leave after so many; all messages, in their order."""
    request = HTTPRequest(f"ws://127.0.0.1:{server.port}/live")
    connection = await websocket_connect(request, subprotocols=["monitor.v1"])
    await connection.write_message(
        json.dumps({"type": "subscribe", "request": 1, "board": "overview", "range": 1000})
    )
    messages: list[str] = []
    while ticks:
        text = await connection.read_message()
        assert isinstance(text, str), "the service closed the connection"
        messages.append(text)
        message: dict[str, Any] = json.loads(text)
        if message["type"] == "tick":
            ticks -= 1
            acknowledgement = {"type": "ack", "feed": message["feed"], "n": message["n"]}
            await connection.write_message(json.dumps(acknowledgement))
    connection.close()
    return messages


def newest_tick(server: Server) -> str:
    """The text of a tick of the overview, as it goes over the wire.

    The second one, so that every rate has a value.
    """
    return asyncio.run(watch(server, 2))[-1]
