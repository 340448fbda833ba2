"""What an unfinished or oversized request may cost: bytes on a bare socket, answers as they come."""

from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.web import Application

from monitor.server.listener import MAX_BODY, MAX_HEADER, make_server
from tests.surroundings import PATIENCE


@pytest.fixture
def server(app: Application) -> HTTPServer:
    """Impatient, so that a test of patience is short."""
    return make_server(app, request_timeout=0.05, idle_timeout=0.1)


@pytest.fixture
def http_server(server: HTTPServer, io_loop: Any, _unused_port: tuple[Any, int]) -> Any:
    server.add_socket(_unused_port[0])
    yield server
    server.stop()
    io_loop.run_sync(server.close_all_connections, timeout=PATIENCE)


async def connect(port: int) -> IOStream:
    return await TCPClient().connect("127.0.0.1", port)


async def answer_to(port: int, sent: bytes) -> bytes:
    """All that comes until the server closes the connection."""
    stream = await connect(port)
    await stream.write(sent)
    return await stream.read_until_close()


@pytest.mark.gen_test
async def test_a_connection_that_asks_nothing_is_closed(http_server: HTTPServer, http_port: int) -> None:
    assert await answer_to(http_port, b"") == b""


@pytest.mark.gen_test
async def test_half_a_header_is_closed(http_server: HTTPServer, http_port: int) -> None:
    assert await answer_to(http_port, b"GET /healthz HTTP/1.1\r\nHost: local") == b""


@pytest.mark.gen_test
async def test_a_body_that_never_comes_is_closed(http_server: HTTPServer, http_port: int) -> None:
    head = b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345"
    assert await answer_to(http_port, head) == b""


@pytest.mark.gen_test
async def test_a_header_that_is_too_long_is_refused(http_server: HTTPServer, http_port: int) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * MAX_HEADER
    assert await answer_to(http_port, head) == b""


@pytest.mark.gen_test
async def test_a_body_that_is_too_long_is_refused(http_server: HTTPServer, http_port: int) -> None:
    head = b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1)
    assert (await answer_to(http_port, head)).startswith(b"HTTP/1.1 4")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused(http_server: HTTPServer, http_port: int, sent: bytes) -> None:
    assert (await answer_to(http_port, sent)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 421 "))


@pytest.mark.gen_test
async def test_forwarding_headers_are_not_believed(http_server: HTTPServer, http_port: int) -> None:
    forged = b"X-Forwarded-Host: localhost\r\nX-Forwarded-For: 127.0.0.1"
    head = b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n%b\r\nConnection: close\r\n\r\n" % forged
    assert (await answer_to(http_port, head)).startswith(b"HTTP/1.1 421 ")
