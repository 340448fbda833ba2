"""Viewers that ask for much and read nothing: what each takes, by the formula of monitor/footprint.py."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.config import load
from monitor.footprint import footprint
from tests.service import running

VIEWERS = 100
FLAGS = {"server.websocket.no_drain": "1h", "server.websocket.per_address": "200"}
SETTINGS = {
    "COLLECT__INTERVAL": "200ms",
    **{name.upper().replace(".", "__"): text for name, text in FLAGS.items()},
}
UPGRADE = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
REQUESTS = 60
"""Of each viewer; the first are answered, and the rest wait behind what is not read."""


def masked(message: dict[str, object]) -> bytes:
    """A text frame with a mask of zeros (RFC 6455 section 5.3)."""
    payload = json.dumps(message).encode()
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(payload)) + bytes(4) + payload


def request(number: int) -> bytes:
    """Each viewer asks for feeds that all share, and each time for all of them."""
    queries = ['{__name__=~"node_.*"}', f"sum by (mode) (node_cpu_seconds_total) + {' ' * 900}{number}"]
    return masked({"type": "subscribe", "request": number, "queries": queries, "range": 60_000})


def stalled(address: tuple[str, int], stack: ExitStack) -> None:
    """Takes the 101 and nothing more."""
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(address)
    client.sendall(UPGRADE)
    assert client.recv(12) == b"HTTP/1.1 101"
    client.setblocking(False)
    client.send(b"".join(map(request, range(REQUESTS))))


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def clients(url: str) -> int:
    with urlopen(f"{url}metrics") as answer:
        return int(answer.read().decode().partition("\nmonitor_clients ")[2].split()[0])


async def ticks(client: WebSocketClientConnection, count: int) -> None:
    seen = 0
    while seen < count:
        text = await client.read_message()
        assert text is not None
        message = json.loads(text)
        if message["type"] in ("tick", "columns"):
            seen += 1
            await client.write_message(
                json.dumps({"type": "ack", "feed": message["feed"], "n": message["n"]})
            )


@pytest.mark.gen_test(timeout=120)
async def test_viewers_that_read_nothing_take_no_more_than_the_formula(tmp_path: Path) -> None:
    limit = footprint(load(None, {}, FLAGS).settings)
    with running(tmp_path, **SETTINGS) as service, ExitStack() as stack:
        assert service.process
        client = await websocket_connect(service.url.replace("http", "ws") + "live")
        await client.write_message('{"type": "subscribe", "request": 1, "board": "overview"}')
        await ticks(client, 15)
        before = resident(service.process.pid)
        host, port = service.url.split("/")[2].split(":")
        for _ in range(VIEWERS):
            await asyncio.to_thread(stalled, (host, int(port)), stack)
        most = 0
        for _ in range(10):
            await ticks(client, 2)
            most = max(most, resident(service.process.pid))
        assert most - before <= VIEWERS * limit.process + limit.backlog
        assert await asyncio.to_thread(clients, service.url) == VIEWERS + 1
        client.close()
        while await client.read_message() is not None:
            pass
