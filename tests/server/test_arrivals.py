"""Unfinished requests by real sockets, and how long each may last by a clock set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import Application, RequestHandler

from monitor.server.arrivals import Arrivals, Patience
from monitor.server.listener import make_server
from monitor.telemetry import Telemetry
from tests import surroundings
from tests.clock import Clock

PATIENCE = Patience(request=10.0, idle=60.0, answer=5.0)
SWEEP = 1.0
MANY = 25
LONG = 32 << 20
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UNFINISHED = {
    "silent": b"",
    "half a header": b"GET /healthz HTTP/1.1\r\nHost: local",
    "a header without its end": WHOLE[:-2],
    "a POST without its body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345",
    "a chunk without its bytes": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
    "TLS without a line's end": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


class Page(RequestHandler):
    def get(self) -> None:
        self.write("x" * LONG if self.request.path == "/long" else "done")

    post = get


@pytest.fixture
def arrivals(clock: Clock, telemetry: Telemetry) -> Arrivals:
    return Arrivals(clock, PATIENCE, telemetry)


@pytest.fixture
def app() -> Application:
    return Application([("/.*", Page)], log_function=lambda _handler: None)


@pytest.fixture
def http_server(
    app: Application, arrivals: Arrivals, io_loop: IOLoop, _unused_port: tuple[Any, int]
) -> Iterator[HTTPServer]:
    server = make_server(app, request_timeout=3600, idle_timeout=3600, arrivals=arrivals)
    server.add_socket(_unused_port[0])
    yield server
    server.stop()
    io_loop.run_sync(server.close_all_connections, timeout=surroundings.PATIENCE)
    assert len(arrivals) == 0


async def until(true: Callable[[], object]) -> None:
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def arrived(port: int, arrivals: Arrivals, sent: bytes = b"") -> IOStream:
    known = len(arrivals)
    stream = await TCPClient().connect("127.0.0.1", port)
    await until(lambda: len(arrivals) > known)
    await stream.write(sent)
    return stream


def answered(stream: IOStream) -> Any:
    return stream.read_until(b"done")


def pass_time(clock: Clock, arrivals: Arrivals, seconds: float) -> None:
    """Sweep as the service does."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now = min(end, clock.now + SWEEP)
        arrivals.sweep()


@pytest.mark.gen_test
async def test_twenty_five_of_each_that_never_finish_are_closed_in_time(
    http_server: HTTPServer, http_port: int, arrivals: Arrivals, clock: Clock, telemetry: Telemetry
) -> None:
    streams = [await arrived(http_port, arrivals, sent) for sent in UNFINISHED.values() for _ in range(MANY)]
    pass_time(clock, arrivals, PATIENCE.request - SWEEP)
    assert len(arrivals) == len(streams)
    pass_time(clock, arrivals, 2 * SWEEP)
    for stream in streams:
        assert await stream.read_until_close() == b""
    await until(lambda: not arrivals.waiting)
    assert telemetry.expired == {"unfinished-request": len(streams)}


@pytest.mark.parametrize("whole", [WHOLE[:-2] + b"X: " + b"x" * 99, UNFINISHED["a POST without its body"]])
@pytest.mark.gen_test
async def test_dripping_gains_no_time(
    http_server: HTTPServer, http_port: int, arrivals: Arrivals, clock: Clock, whole: bytes
) -> None:
    stream = await arrived(http_port, arrivals)
    for byte in whole[: int(PATIENCE.request + SWEEP)]:
        assert not stream.closed()
        await stream.write(bytes([byte]))
        await asyncio.sleep(0)
        pass_time(clock, arrivals, SWEEP)
    assert await stream.read_until_close() == b""


@pytest.mark.gen_test
async def test_a_connection_kept_for_the_next_request_may_wait_longer(
    http_server: HTTPServer, http_port: int, arrivals: Arrivals, clock: Clock, telemetry: Telemetry
) -> None:
    stream = await arrived(http_port, arrivals)
    for _ in range(2):
        await stream.write(WHOLE)
        await answered(stream)
        pass_time(clock, arrivals, PATIENCE.idle - SWEEP)
    assert len(arrivals) == 1
    pass_time(clock, arrivals, 2 * SWEEP)
    assert await stream.read_until_close() == b""
    assert telemetry.expired == {"idle": 1}


@pytest.mark.gen_test
async def test_the_next_request_must_be_as_quick_as_the_first(
    http_server: HTTPServer, http_port: int, arrivals: Arrivals, clock: Clock, telemetry: Telemetry
) -> None:
    stream = await arrived(http_port, arrivals)
    await stream.write(WHOLE)
    await answered(stream)
    await stream.write(b"GET / HT")
    (arrival,) = arrivals.waiting.values()
    await until(lambda: arrival.stream._read_buffer)
    pass_time(clock, arrivals, PATIENCE.request + 2 * SWEEP)
    assert await stream.read_until_close() == b""
    assert telemetry.expired == {"unfinished-request": 1}


@pytest.mark.gen_test
async def test_an_answer_that_nobody_reads_is_given_up_and_a_slow_one_is_not(
    http_server: HTTPServer, http_port: int, arrivals: Arrivals, clock: Clock, telemetry: Telemetry
) -> None:
    stream = await arrived(http_port, arrivals)
    await stream.write(WHOLE.replace(b"/ ", b"/long ", 1))
    (arrival,) = arrivals.waiting.values()
    await until(arrival.stream.writing)
    read = 0
    while read < LONG // 16:
        taken = arrival.stream._total_write_done_index
        while arrival.stream._total_write_done_index == taken:
            read += len(await stream.read_bytes(1 << 16, partial=True))
        pass_time(clock, arrivals, PATIENCE.answer - SWEEP)
    assert len(arrivals) == 1
    pass_time(clock, arrivals, PATIENCE.answer + SWEEP)
    with suppress(StreamClosedError):
        await stream.read_until_close()
    await until(lambda: not arrivals.waiting)
    assert telemetry.expired == {"unread-answer": 1}


@pytest.mark.gen_test
async def test_a_connection_that_is_handed_over_is_no_arrival_any_more(
    app: Application, http_server: HTTPServer, http_port: int, arrivals: Arrivals, clock: Clock
) -> None:
    taken: list[IOStream] = []

    class Taking(RequestHandler):
        def get(self) -> None:
            taken.append(self.detach())

    app.add_handlers(".*", [("/taken", Taking)])
    stream = await arrived(http_port, arrivals)
    await stream.write(WHOLE.replace(b"/ ", b"/taken ", 1))
    await until(lambda: taken and not arrivals.waiting)
    pass_time(clock, arrivals, PATIENCE.idle + SWEEP)
    assert not taken[0].closed()
    taken[0].close()
    stream.close()
