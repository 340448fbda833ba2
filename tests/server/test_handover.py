"""A connection goes to another process: what goes over, and what handover.py relies on in Tornado."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream
from tornado.web import Application

from monitor.access import Credential, Role
from monitor.access.credential import anonymous
from monitor.access.credential import packed as pack
from monitor.server.guard import Guard
from monitor.server.handover import MOST, Handed, packed, sender_of, unpacked
from monitor.server.listener import MAX_HEADER
from monitor.server.live import LiveHandler
from monitor.server.routes import count
from monitor.stream.audience import Audience
from monitor.telemetry import Telemetry
from tests.access.house import open_to_all

UPGRADE = (
    b"GET /live?a=b HTTP/1.1\r\nHost: localhost\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Cookie: secret=1\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"
)


class Taker:
    """Takes what it is offered, as another process would, while it is willing."""

    def __init__(self) -> None:
        self.willing = True
        self.asked = asyncio.Event()
        self.taken: list[tuple[bytes, socket.socket]] = []

    def hand_over(
        self, request: HTTPServerRequest, credential: Credential, connection: socket.socket
    ) -> bool:
        self.asked.set()
        if self.willing:
            self.taken.append((packed(request, credential), connection.dup()))
        return self.willing


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture
def app(audience: Audience, taker: Taker, telemetry: Telemetry) -> Application:
    carried = {"audience": audience, "compression": True, "send_buffer": 4096, "taker": taker}
    rule = (r"/live", LiveHandler, carried)
    return Application([rule], guard=Guard(), access=open_to_all(), telemetry=telemetry, log_function=count)


async def ask(http_port: int, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(request)
    return reader, writer


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


@pytest.mark.gen_test
async def test_the_connection_lives_on_where_it_was_handed_to(
    http_server: Any, http_port: int, audience: Audience, taker: Taker
) -> None:
    reader, writer = await ask(http_port, UPGRADE)
    await taker.asked.wait()
    ((head, connection),) = taker.taken
    request = unpacked(head, connection, 1 << 16)
    assert (request.method, request.uri, request.version) == ("GET", "/live?a=b", "HTTP/1.1")
    assert sender_of(head) == (request.remote_ip, "anonymous operator") == ("127.0.0.1", "anonymous operator")
    assert request.headers["Upgrade"] == "websocket"
    assert request.headers.get_list("X-Two") == ["1", "2"]
    assert isinstance(request.connection, Handed)
    assert request.connection.credential == anonymous(Role.OPERATOR)
    assert b"secret" not in head
    request.connection.write_headers(
        ResponseStartLine("", 101, "Switching Protocols"), HTTPHeaders({"Upgrade": "websocket"})
    )
    assert await reader.readuntil(b"\r\n\r\n") == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    )
    assert len(audience) == 0
    request.connection.stream.close()
    assert await reader.read() == b""
    await close(writer)


@pytest.mark.gen_test
async def test_what_nobody_takes_is_served_here(
    http_server: Any, http_port: int, audience: Audience, taker: Taker
) -> None:
    taker.willing = False
    reader, writer = await ask(http_port, UPGRADE)
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    assert len(audience) == 1
    await close(writer)
    await audience.empty.wait()


@pytest.mark.gen_test
async def test_a_client_that_sends_too_early_stays_where_its_bytes_are(
    http_server: Any, http_port: int, audience: Audience, taker: Taker
) -> None:
    reader, writer = await ask(http_port, UPGRADE + b"\x88\x80abcd")
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    assert not taker.taken
    await close(writer)
    await audience.empty.wait()


@pytest.mark.gen_test
async def test_a_refusal_is_made_before_anything_is_handed_over(
    http_server: Any, http_port: int, audience: Audience, taker: Taker, telemetry: Telemetry
) -> None:
    reader, writer = await ask(http_port, UPGRADE.replace(b"localhost", b"evil.example"))
    assert b" 421 " in await reader.readuntil(b"\r\n\r\n")
    assert not taker.taken
    await close(writer)


@pytest.mark.gen_test
async def test_a_handover_counts_as_a_request_answered(
    http_server: Any, http_port: int, taker: Taker, telemetry: Telemetry
) -> None:
    _, writer = await ask(http_port, UPGRADE)
    await taker.asked.wait()
    assert telemetry.http_requests == {("LiveHandler", "1xx"): 1}
    taker.taken[0][1].close()
    await close(writer)


@pytest.mark.gen_test
async def test_an_answer_that_is_no_upgrade_ends_the_connection() -> None:
    ours, theirs = socket.socketpair()
    request = unpacked(
        json.dumps(["/live", [["Host", "x"]], "here", pack(anonymous(Role.VIEWER))]).encode(), ours, 1 << 16
    )
    assert isinstance(request.connection, Handed)
    ended = asyncio.Event()
    request.connection.stream.set_close_callback(ended.set)
    request.connection.write_headers(ResponseStartLine("", 500, "No"), HTTPHeaders(), b"sorry")
    request.connection.finish()
    await ended.wait()
    with theirs:
        assert theirs.recv(100) == b"HTTP/1.1 500 No\r\n\r\nsorry"


def test_the_largest_head_that_is_read_fits_into_a_message() -> None:
    headers = HTTPHeaders({"Host": "x"})
    for number in range(MAX_HEADER // 5):
        headers.add("A", str(number % 10))
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        head = packed(HTTPServerRequest(headers=headers, start_line=line), anonymous(Role.ADMIN))
        socket.send_fds(ours, [head], [0])
        data, descriptors, _, _ = socket.recv_fds(theirs, MOST, 1)
        socket.close(descriptors[0])
    assert data == head


def test_tornado_still_has_what_handover_relies_on() -> None:
    ours, theirs = socket.socketpair()
    with theirs:

        async def early() -> bytes:
            stream = IOStream(ours)
            theirs.send(b"head\r\n\r\nearly")
            await stream.read_until(b"\r\n\r\n")
            left = bytes(stream._read_buffer)
            stream.close()
            return left

        assert asyncio.run(early()) == b"early"
