"""A real service with few file descriptors, more connections than those, and what it does meanwhile."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.server.descriptors import BESIDES
from tests.service import Service

VIEWERS, BEYOND = 100, 60
FILES = BESIDES + VIEWERS + 8
LIMITED = ("prlimit", f"--nofile={FILES}:{FILES}", sys.executable, "-m", "monitor", "serve")
WATCHED = 4.0
"""Seconds of exhaustion."""


def silent(address: tuple[str, int], stack: ExitStack) -> list[socket.socket]:
    """More connections than the service has descriptors; the kernel takes them all."""
    clients = [stack.enter_context(socket.create_connection(address)) for _ in range(FILES + BEYOND)]
    for client in clients:
        client.setblocking(False)
    return clients


def is_refused(client: socket.socket) -> bool:
    with suppress(BlockingIOError):
        return client.recv(1 << 10).startswith(b"HTTP/1.1 503 ")
    return False


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def tick_numbers(message: str | bytes | None) -> list[int]:
    decoded = json.loads(message or "{}")
    return [decoded["n"]] if decoded.get("type") == "tick" else []


async def ticks(client: WebSocketClientConnection, count: int) -> list[int]:
    numbers: list[int] = []
    while len(numbers) < count:
        message = await client.read_message()
        assert message is not None, "cut"
        numbers += tick_numbers(message)
        if numbers:
            await client.write_message(json.dumps({"type": "ack", "feed": 1, "n": numbers[-1]}))
    return numbers


@pytest.mark.gen_test(timeout=60)
async def test_a_service_without_descriptors_rests_serves_and_recovers(tmp_path: Path) -> None:
    service = Service(
        tmp_path,
        LIMITED,
        SERVER__WEBSOCKET__MAX_CLIENTS=str(VIEWERS),
        SERVER__WEBSOCKET__HANDSHAKE_TIMEOUT="1m",
        COLLECT__INTERVAL="500ms",
    )
    service.start()
    assert service.process
    host, port = service.url.split("/")[2].split(":")
    try:
        client = await websocket_connect(service.url.replace("http", "ws") + "live")
        await client.write_message('{"type": "subscribe", "request": 1, "queries": ["node_load1"]}')
        await ticks(client, 1)
        with ExitStack() as stack:
            clients = await asyncio.to_thread(silent, (host, int(port)), stack)
            used, begun = cpu_seconds(service.process.pid), time.monotonic()
            numbers = await ticks(client, round(WATCHED / 0.5))
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            used, seconds = cpu_seconds(service.process.pid) - used, time.monotonic() - begun
            assert used < seconds / 2
            assert sum(map(is_refused, clients)) >= BEYOND
        page = await asyncio.to_thread(patient, f"{service.url}healthz")
        assert page == 200
        client.close()
        while await client.read_message() is not None:
            pass
    finally:
        service.stop()
    said = [line for line in service.log.read_text().splitlines() if "descriptor" in line]
    assert len(said) == 1, service.log.read_text()


def patient(url: str) -> int:
    """The status, once there is room again: those who left are noticed by the service in its own time."""
    end = time.monotonic() + 15
    while True:
        try:
            with urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except OSError:
            if time.monotonic() > end:
                raise


def test_more_viewers_than_descriptors_stop_the_start(tmp_path: Path) -> None:
    service = Service(tmp_path, LIMITED, SERVER__WEBSOCKET__MAX_CLIENTS="1000")
    with pytest.raises(AssertionError, match="did not start"):
        service.start()
    text = service.log.read_text()
    assert f"server.websocket.max_clients: found 1000, expected at most {FILES - BESIDES}" in text
    assert f"LimitNOFILE={1000 + BESIDES}" in text
