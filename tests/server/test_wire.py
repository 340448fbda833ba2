"""What wire.py relies on in Tornado, and what it puts on real sockets."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, WebSocketProtocol13, websocket_connect

from monitor.server.guard import Guard
from monitor.server.live import LiveHandler
from monitor.server.wire import TIMED_OUT, LiveProtocol, PublicConnection, SharedConnection, Sockets
from monitor.stream.audience import Audience
from monitor.stream.frames import Frame
from monitor.telemetry import Telemetry
from tests.access.house import open_to_all
from tests.stream.house import House, subscribe
from tests.surroundings import PATIENCE


def test_tornado_still_has_what_wire_relies_on() -> None:
    """A Tornado that changes one of these needs a look at wire.py, or its PublicConnection."""
    for name in ("_parse_extensions_header", "write_ping", "is_closing", "periodic_ping", "_write_frame"):
        assert callable(getattr(WebSocketProtocol13, name)), name
    taken = ["self", "fin", "opcode", "data", "flags"]
    assert list(inspect.signature(WebSocketProtocol13._write_frame).parameters) == taken
    for sender in ("write_message", "write_ping", "close"):
        assert "self._write_frame(" in inspect.getsource(getattr(WebSocketProtocol13, sender)), sender
    assert "self.stream.write(" in inspect.getsource(WebSocketProtocol13._write_frame)
    assert issubclass(LiveProtocol, WebSocketProtocol13)
    loop = inspect.getsource(WebSocketProtocol13.periodic_ping)
    assert f'self.close(reason="{TIMED_OUT}")' in loop
    assert "self.write_ping(" in loop
    assert "self._ping_coroutine" in inspect.getsource(WebSocketProtocol13.start_pinging)


@pytest.fixture
def app(audience: Audience) -> Application:
    carried = {"audience": audience, "compression": True, "send_buffer": 4096}
    return Application(
        [(r"/live", LiveHandler, carried)], guard=Guard(), access=open_to_all(), telemetry=Telemetry("0")
    )


@pytest.fixture
def raw(http_server: HTTPServer, http_port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", http_port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        yield connection


async def upgrade(raw: socket.socket, *headers: str) -> str:
    """The answer's head to an upgrade with these headers."""
    loop = asyncio.get_running_loop()
    lines = [
        "GET /live HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    ]
    await loop.sock_sendall(raw, "\r\n".join([*lines, "", ""]).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += await loop.sock_recv(raw, 1)
    return head.decode().lower()


async def read(raw: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        part = await asyncio.get_running_loop().sock_recv(raw, size - len(got))
        assert part, "the service closed the connection"
        got += part
    return got


async def frame(raw: socket.socket) -> tuple[int, bytes]:
    first, length = await read(raw, 2)
    if length == 126:
        (length,) = struct.unpack("!H", await read(raw, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", await read(raw, 8))
    return first, await read(raw, length)


def masked(payload: bytes) -> bytes:
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


@pytest.mark.gen_test
async def test_compression_is_agreed_without_context(raw: socket.socket, audience: Audience) -> None:
    head = await upgrade(raw, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
    assert "permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n" in head
    first, payload = await frame(raw)
    assert first == 0xC1
    welcome = json.loads(zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff"))
    assert welcome["type"] == "welcome"


@pytest.mark.gen_test
async def test_without_an_offer_everything_is_plain(raw: socket.socket, audience: Audience) -> None:
    assert "extensions" not in await upgrade(raw)
    first, payload = await frame(raw)
    assert (first, json.loads(payload)["type"]) == (0x81, "welcome")


@pytest.mark.gen_test
async def test_the_subprotocol_is_chosen_when_offered(raw: socket.socket, audience: Audience) -> None:
    assert "sec-websocket-protocol: monitor.v1\r\n" in await upgrade(
        raw, "Sec-WebSocket-Protocol: other, monitor.v1"
    )


@pytest.mark.gen_test
async def test_many_frames_arrive_whole_and_in_order_through_a_small_buffer(
    raw: socket.socket, audience: Audience
) -> None:
    await upgrade(raw)
    await frame(raw)
    (connection,) = audience.connections.values()
    frames = [Frame(json.dumps([number] * 3000).encode()) for number in range(20)]
    size = connection.send(frames)
    assert size == sum(len(each.wire(deflate=False)) for each in frames)
    assert not connection.drained()
    for number in range(20):
        assert json.loads((await frame(raw))[1]) == [number] * 3000
    assert connection.drained()


@pytest.mark.gen_test
async def test_frames_of_several_feeds_leave_in_one_system_call(
    raw: socket.socket, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(raw)
    await frame(raw)
    (connection,) = audience.connections.values()
    assert isinstance(connection, SharedConnection)
    called = Calls(connection.stream.socket)
    monkeypatch.setattr(connection.stream, "socket", called)
    connection.send([Frame(b'"cpu"'), Frame(b'"disk"'), Frame(b'"net"')])
    assert [(await frame(raw))[1] for _ in range(3)] == [b'"cpu"', b'"disk"', b'"net"']
    assert called.made == ["sendmsg"]


class Calls:
    """A socket, and which of its methods were asked for."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.made: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("send"):
            self.made.append(name)
        return getattr(self.inner, name)


@pytest.mark.gen_test
async def test_what_waits_is_a_view_of_the_shared_frame(raw: socket.socket, audience: Audience) -> None:
    await upgrade(raw)
    (connection,) = audience.connections.values()
    assert isinstance(connection, SharedConnection)
    shared = Frame(b'"' + b"x" * 1_000_000 + b'"')
    connection.send([shared])
    kept = [part for _, part in connection.stream._write_buffer._buffers]
    assert len(kept) == 1
    assert isinstance(kept[0], memoryview)
    assert kept[0].obj is shared.wire(deflate=False)


@pytest.mark.gen_test
async def test_what_is_sent_while_bytes_wait_comes_after_them(raw: socket.socket, audience: Audience) -> None:
    await upgrade(raw)
    await frame(raw)
    (connection,) = audience.connections.values()
    connection.send([Frame(b'"' + b"x" * 60_000 + b'"')])
    connection.ping()
    connection.send([Frame(b'"next"')])
    assert len((await frame(raw))[1]) == 60_002
    assert await frame(raw) == (0x89, struct.pack("!Q", 1))
    assert await frame(raw) == (0x81, b'"next"')


@pytest.mark.gen_test
async def test_bytes_that_the_peer_does_not_take_are_known(raw: socket.socket, audience: Audience) -> None:
    await upgrade(raw)
    (connection,) = audience.connections.values()
    assert connection.facts(1.0).stuck_since is None
    connection.send([Frame(b'"' + b"x" * 300_000 + b'"')])
    assert connection.facts(2.0).stuck_since == 2.0
    assert connection.facts(9.0).stuck_since == 2.0


@pytest.mark.gen_test
async def test_pings_and_pongs_do_not_hide_what_is_acknowledged(
    raw: socket.socket, audience: Audience
) -> None:
    await upgrade(raw)
    ((session, connection),) = audience.connections.items()
    _, welcome = await frame(raw)
    for size in (0, 10, 125):
        await asyncio.get_running_loop().sock_sendall(
            raw, bytes([0x89, 0x80 | size, 0, 0, 0, 0]) + bytes(size)
        )
        assert await frame(raw) == (0x8A, bytes(size))
    connection.ping()
    assert await frame(raw) == (0x89, struct.pack("!Q", 1))
    (written,) = audience.ledger.written[[slot for slot, each in audience.slots.items() if each is session]]
    assert written == 4 + len(welcome) + 3 * 2 + 135 + 10


@pytest.mark.gen_test
async def test_an_aborted_connection_is_a_closed_one(raw: socket.socket, audience: Audience) -> None:
    await upgrade(raw)
    ((session, connection),) = audience.connections.items()
    audience.leave(session, "test")
    assert connection.facts(0.0).closed_since == 0.0
    assert connection.send([Frame(b"{}")]) == 0
    connection.ping()
    connection.abort()
    with pytest.raises(ConnectionResetError):
        await read(raw, 1 << 20)


@pytest.mark.gen_test
async def test_a_client_that_is_gone_before_it_is_greeted_leaves_as_all_do(
    raw: socket.socket, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reset is seen when the 101 is written; found by tests/chaos, seed 1043."""
    detach = LiveHandler._detach_stream

    def reset(handler: LiveHandler) -> IOStream:
        stream = detach(handler)
        stream.close()
        return stream

    monkeypatch.setattr(LiveHandler, "_detach_stream", reset)
    await upgrade(raw)
    await asyncio.wait_for(audience.empty.wait(), PATIENCE)
    assert audience.telemetry.sessions_opened == 1
    assert audience.telemetry.gone["lost"] == 1


@pytest.mark.gen_test
async def test_the_fallback_sends_the_same_messages(
    raw: socket.socket, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.server.live.SharedConnection", PublicConnection)
    await upgrade(raw, "Sec-WebSocket-Extensions: permessage-deflate")
    _, payload = await frame(raw)
    assert json.loads(zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff"))["type"] == "welcome"
    await asyncio.get_running_loop().sock_sendall(raw, masked(subscribe().encode()))
    _, payload = await frame(raw)
    assert b"subscribed" in zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")


@pytest.mark.gen_test
async def test_tornado_client_with_compression_reads_every_tick(
    io_loop: IOLoop, house: House, audience: Audience, base_url: str, http_server: HTTPServer
) -> None:
    url = base_url.replace("http", "ws") + "/live"
    client: WebSocketClientConnection = await websocket_connect(url, compression_options={})
    await client.read_message()
    await client.write_message(subscribe(queries=["load"] * 50))
    assert (await answer(client))["type"] == "subscribed"
    for second in range(11, 20):
        await audience.tick(house.store(second))
        assert (await answer(client))["v"] == [second] * 50
    # Its next message would be refused: Tornado's client drops parameters that have no `=` from our answer.
    client.close()
    assert await client.read_message() is None


async def answer(client: WebSocketClientConnection) -> dict[str, Any]:
    text = await client.read_message()
    assert isinstance(text, str)
    decoded: dict[str, Any] = json.loads(text)
    return decoded


def fill(full: Any) -> None:
    """Until the kernel takes no more."""
    full.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            full.send(bytes(65536))


async def step_in(raw: socket.socket, house: House, audience: Audience) -> None:
    """Upgraded, subscribed, and in a cohort."""
    await upgrade(raw)
    await frame(raw)
    await asyncio.get_running_loop().sock_sendall(raw, masked(subscribe().encode()))
    await frame(raw)
    await audience.tick(house.store(11))
    await frame(raw)
    assert not audience.apart


@pytest.mark.gen_test
async def test_nothing_follows_a_close_frame(raw: socket.socket, house: House, audience: Audience) -> None:
    await step_in(raw, house, audience)
    (connection,) = audience.connections.values()
    connection.close(1000, "enough")
    await audience.tick(house.store(12))
    assert await frame(raw) == (0x88, b"\x03\xe8enough")
    with pytest.raises(BlockingIOError):
        raw.recv(1)


@pytest.mark.gen_test
async def test_what_a_socket_does_not_take_with_its_cohort_arrives_whole_and_in_order(
    raw: socket.socket, house: House, audience: Audience
) -> None:
    await step_in(raw, house, audience)
    ((session, connection),) = audience.connections.items()
    assert isinstance(connection, SharedConnection)
    long = [json.dumps([number] * 30_000).encode() for number in range(2)]
    data = Frame(long[0]).wire(deflate=False)
    ((place, taken),) = Sockets().broadcast([None, connection.socket], data)
    assert (place, 0 < taken < len(data)) == (1, True)
    connection.go_on(data, taken)
    assert not connection.undisturbed()
    assert audience.ledger.disturbed[connection.pulse.slot]
    connection.send([Frame(long[1])])
    await audience.tick(house.store(12))
    assert list(audience.apart) == [session]
    assert [(await frame(raw))[1] for _ in long] == long
    await audience.tick(house.store(13))
    assert json.loads((await frame(raw))[1])["code"] == "slowed"
    assert json.loads((await frame(raw))[1])["columns"]["v"] == [[12, 13]]


@pytest.mark.gen_test
async def test_a_ping_that_waits_is_not_overtaken(
    raw: socket.socket, house: House, audience: Audience
) -> None:
    await step_in(raw, house, audience)
    (connection,) = audience.connections.values()
    fill(connection.socket)
    connection.ping()
    assert not connection.undisturbed()
    await audience.tick(house.store(12))
    assert len(audience.apart) == 1


def test_dead_and_full_sockets_are_told_apart_and_hurt_nobody() -> None:
    (ours, theirs), (full, unread) = socket.socketpair(), socket.socketpair()
    dead = socket.socket()
    dead.close()
    fill(full)
    sockets = Sockets()
    try:
        assert sockets.broadcast([dead, None, full, ours], b"tick") == [(0, -1), (2, 0)]
        assert theirs.recv(10) == b"tick"
        assert sockets.waiting([None, dead, ours])[:2] == [-1, -1]
    finally:
        for each in (ours, theirs, full, unread):
            each.close()
