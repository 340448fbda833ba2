"""The gate by real sockets, with a limit of descriptors that a test can reach."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.tcpserver import TCPServer

from monitor.server import gate
from monitor.server.gate import Gate
from monitor.telemetry import Telemetry
from tests.clock import Clock
from tests.conftest import ExpectLog

BEYOND = 60
NO_ROOM = "no file descriptor left for new connections"


class Inside(TCPServer):
    """Keeps everybody who comes in."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[IOStream] = []

    def handle_stream(self, stream: IOStream, _address: tuple[str, int]) -> None:
        self.streams.append(stream)


class Deaf(socket.socket):
    """A listener whose accept fails as it is told, and counts how often it is asked."""

    fails: int | None = None
    asked = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.asked += 1
        if self.fails is not None:
            raise OSError(self.fails, os.strerror(self.fails))
        return super().accept()


@pytest.fixture
def listener() -> Deaf:
    made = Deaf()
    made.bind(("127.0.0.1", 0))
    made.listen(1000)
    made.setblocking(False)
    return made


@pytest.fixture
def inside() -> Iterator[Inside]:
    server = Inside()
    yield server
    for stream in server.streams:
        stream.close()


@pytest.fixture
def guarded(
    io_loop: IOLoop, inside: Inside, listener: Deaf, telemetry: Telemetry, clock: Clock
) -> Iterator[Gate]:
    made = Gate(inside, telemetry, clock)

    async def opened() -> None:
        made.open([listener])

    async def closed() -> None:
        made.close()

    io_loop.run_sync(opened)
    yield made
    io_loop.run_sync(closed)


@pytest.fixture
def clients() -> Iterator[list[socket.socket]]:
    held: list[socket.socket] = []
    yield held
    for client in held:
        client.close()


@pytest.fixture
def knock(listener: Deaf, clients: list[socket.socket]) -> Callable[[int], list[socket.socket]]:
    """`knock(3)` makes three connections, which the kernel takes before anybody accepts them."""

    def connect(count: int) -> list[socket.socket]:
        made = [socket.create_connection(listener.getsockname()) for _ in range(count)]
        for client in made:
            client.setblocking(False)
        clients.extend(made)
        return made

    return connect


async def until(true: Callable[[], object]) -> None:
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0)


def room_for(guarded: Gate, count: int, knocking: int) -> None:
    """Let the gate take so many more of those who are about to knock."""
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    guarded.highest = lowest + knocking + count


async def read(client: socket.socket) -> bytes:
    got = b""
    while part := await asyncio.get_running_loop().sock_recv(client, 4096):
        got += part
    return got


@pytest.mark.gen_test
async def test_those_beyond_the_limit_are_told_and_the_log_says_it_once(
    guarded: Gate,
    inside: Inside,
    telemetry: Telemetry,
    knock: Callable[[int], list[socket.socket]],
    expect_log: ExpectLog,
    caplog: pytest.LogCaptureFixture,
    listener: Deaf,
) -> None:
    expect_log(NO_ROOM)
    room_for(guarded, 5, BEYOND + 5)
    clients = knock(BEYOND + 5)
    await until(lambda: telemetry.connections_refused)
    assert (len(inside.streams), telemetry.connections_refused) == (5, BEYOND)
    for client in clients[5:]:
        assert (await read(client)).startswith(b"HTTP/1.1 503 ")
    asked = listener.asked
    for client, stream in zip(clients, inside.streams, strict=False):
        await stream.write(b"still here")
        assert await asyncio.get_running_loop().sock_recv(client, 99) == b"still here"
    assert listener.asked == asked, "the gate rests"
    assert len(caplog.records) == 1
    assert f"{BEYOND} turned away" in caplog.text


@pytest.mark.gen_test
async def test_it_recovers_by_itself(
    guarded: Gate,
    inside: Inside,
    telemetry: Telemetry,
    knock: Callable[[int], list[socket.socket]],
    expect_log: ExpectLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expect_log(NO_ROOM)
    monkeypatch.setattr(gate, "REST", 0.0)
    room_for(guarded, 0, 3)
    knock(3)
    await until(lambda: telemetry.connections_refused == 3)
    guarded.highest += 1000
    knock(2)
    await until(lambda: len(inside.streams) == 2)
    assert telemetry.connections_refused == 3


@pytest.mark.gen_test
async def test_the_log_says_once_a_minute_how_many(
    guarded: Gate,
    clock: Clock,
    telemetry: Telemetry,
    knock: Callable[[int], list[socket.socket]],
    expect_log: ExpectLog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    expect_log(NO_ROOM)
    monkeypatch.setattr(gate, "REST", 0.0)
    guarded.highest = 0
    for second in range(0, 120, 20):
        clock.now = second
        knock(1)
        await until(lambda: telemetry.connections_refused == clock.now // 20 + 1)
    assert [record.args for record in caplog.records] == [("0 are open", 1), ("0 are open", 3)]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
@pytest.mark.gen_test
async def test_an_accept_that_fails_is_not_tried_again_at_once(
    guarded: Gate,
    inside: Inside,
    listener: Deaf,
    telemetry: Telemetry,
    knock: Callable[[int], list[socket.socket]],
    expect_log: ExpectLog,
    number: int,
) -> None:
    expect_log(NO_ROOM)
    listener.fails = number
    knock(1)
    await until(lambda: listener.asked)
    asked = listener.asked
    for _ in range(1000):
        await asyncio.sleep(0)
    assert listener.asked == asked == 2, "once as always, once with the spare descriptor"
    listener.fails = None
    guarded._listen()
    await until(lambda: len(inside.streams) == 1)


@pytest.mark.gen_test
async def test_without_any_descriptor_the_spare_one_tells_all_newcomers(
    guarded: Gate,
    telemetry: Telemetry,
    knock: Callable[[int], list[socket.socket]],
    expect_log: ExpectLog,
) -> None:
    expect_log(NO_ROOM)
    clients = knock(5)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (clients[-1].fileno() + 1, hard))
    try:
        while True:
            try:
                taken.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        await until(lambda: telemetry.connections_refused)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for number in taken:
            os.close(number)
    assert telemetry.connections_refused == len(clients)
    for client in clients:
        assert (await read(client)).startswith(b"HTTP/1.1 503 ")
    assert guarded._spare is not None


@pytest.mark.gen_test
async def test_an_error_of_one_connection_is_none_of_the_others(
    guarded: Gate,
    inside: Inside,
    listener: Deaf,
    telemetry: Telemetry,
    knock: Callable[[int], list[socket.socket]],
) -> None:
    listener.fails = errno.ECONNABORTED
    knock(2)
    await until(lambda: listener.asked >= gate.TURN)
    listener.fails = None
    await until(lambda: len(inside.streams) == 2)
    assert telemetry.connections_refused == 0
