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
from tests.service import PATIENCE, Service

VIEWERS, BEYOND = 100, 60
FILES = BESIDES + VIEWERS + 8
LIMITED = ("prlimit", f"--nofile={FILES}:{FILES}", sys.executable, "-m", "monitor", "serve")
STEP = 500
"""Milliseconds between two ticks."""
WATCHED = 4.0
"""Seconds of exhaustion."""


def silent(address: tuple[str, int], stack: ExitStack) -> list[socket.socket]:
    """More connections than the service has descriptors; the kernel takes them all."""
    clients = [stack.enter_context(socket.create_connection(address)) for _ in range(FILES + BEYOND)]
    for client in clients:
        client.setblocking(False)
    return clients


async def is_refused(client: socket.socket) -> bool:
    with suppress(ConnectionError):
        return (await asyncio.get_running_loop().sock_recv(client, 1 << 10)).startswith(b"HTTP/1.1 503 ")
    return False


async def until_refused(clients: list[socket.socket], count: int) -> None:
    asked = [asyncio.create_task(is_refused(client)) for client in clients]
    for answer in asyncio.as_completed(asked):
        count -= await answer
        if not count:
            break
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert not count


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def columns(text: str | bytes) -> list[int]:
    """Numbers of the columns that came.  A tick that a busy machine leaves out is in the next of its kind."""
    message = json.loads(text)
    if message["type"] == "tick":
        return [message["n"]]
    return [t // STEP for t in message["columns"]["t"]] if message["type"] == "columns" else []


async def followed(client: WebSocketClientConnection, count: int) -> list[int]:
    """The numbers of the next columns, at least so many."""
    numbers: list[int] = []
    while len(numbers) < count:
        message = await client.read_message()
        assert message is not None, "cut"
        numbers += columns(message)
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
        COLLECT__INTERVAL=f"{STEP}ms",
    )
    service.start()
    assert service.process
    host, port = service.url.split("/")[2].split(":")
    try:
        client = await websocket_connect(service.url.replace("http", "ws") + "live")
        await client.write_message('{"type": "subscribe", "request": 1, "queries": ["node_load1"]}')
        await followed(client, 1)
        with ExitStack() as stack:
            clients = await asyncio.to_thread(silent, (host, int(port)), stack)
            used, begun = cpu_seconds(service.process.pid), time.monotonic()
            numbers = await followed(client, round(WATCHED * 1000 / STEP))
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            used, seconds = cpu_seconds(service.process.pid) - used, time.monotonic() - begun
            assert used < seconds / 2
            await until_refused(clients, BEYOND)
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
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(url, timeout=PATIENCE) as answer:
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
