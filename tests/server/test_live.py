"""`/live` by real sockets: who is let in, what is answered, and how a connection ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.server.base import HEADERS
from monitor.stream.audience import Audience
from monitor.stream.liveness import Awake
from tests.stream.house import START, House, Line, subscribe
from tests.surroundings import PATIENCE

from .conftest import Streaming

UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def app(streaming: Streaming) -> Application:
    return streaming(websocket_max_message_size=65536)


Connect = Callable[[], Awaitable[WebSocketClientConnection]]


@pytest.fixture
def connect(io_loop: IOLoop, http_server: HTTPServer, base_url: str, audience: Audience) -> Iterator[Connect]:
    """A viewer; at the end of the test all are closed, and the service has let go of them."""
    clients: list[WebSocketClientConnection] = []

    async def connected() -> WebSocketClientConnection:
        url = base_url.replace("http", "ws") + "/live"
        clients.append(await websocket_connect(url, subprotocols=["monitor.v1"]))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()
    io_loop.run_sync(audience.empty.wait, timeout=PATIENCE)


async def message(client: WebSocketClientConnection) -> dict[str, Any]:
    text = await client.read_message()
    assert isinstance(text, str), f"closed with {client.close_code}"
    decoded: dict[str, Any] = json.loads(text)
    return decoded


async def ended(client: WebSocketClientConnection) -> int | None:
    while await client.read_message() is not None:
        pass
    return client.close_code


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 426, "upgrade_required"),
        ({**UPGRADE, "Host": "evil.example"}, 421, "wrong_host"),
        ({**UPGRADE, "Host": "evil.example", "Origin": "http://evil.example"}, 421, "wrong_host"),
        ({**UPGRADE, "Origin": "http://evil.example"}, 403, "foreign_origin"),
        ({**UPGRADE, "Origin": "null"}, 403, "foreign_origin"),
        ({**UPGRADE, "Sec-WebSocket-Protocol": "graphql-ws"}, 400, "unknown_subprotocol"),
    ],
)
@pytest.mark.gen_test
async def test_a_refusal_is_a_real_answer(
    http_client: AsyncHTTPClient,
    base_url: str,
    audience: Audience,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = await http_client.fetch(HTTPRequest(f"{base_url}/live", headers=headers), raise_error=False)
    assert (answer.code, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert HEADERS.items() <= dict(answer.headers).items()
    assert audience.telemetry.refused == {code: 1}
    assert len(audience) == 0


@pytest.mark.gen_test
async def test_the_door_is_closed_when_the_house_is_full(
    connect: Connect, http_client: AsyncHTTPClient, base_url: str, audience: Audience
) -> None:
    audience.doors.clients = 1
    await message(await connect())
    answer = await http_client.fetch(HTTPRequest(f"{base_url}/live", headers=UPGRADE), raise_error=False)
    assert (answer.code, answer.headers["Retry-After"]) == (503, "5")
    assert json.loads(answer.body)["error"]["code"] == "too_many_viewers"


@pytest.mark.gen_test
async def test_subscribe_tick_and_leave(connect: Connect, house: House, audience: Audience) -> None:
    client = await connect()
    assert client.selected_subprotocol == "monitor.v1"
    assert (await message(client))["type"] == "welcome"
    await client.write_message(subscribe(range=2000))
    assert (await message(client))["columns"]["v"] == [[9, 10]]
    await audience.tick(house.store(11))
    assert (await message(client))["n"] == START + 11
    client.close(1000)
    await ended(client)
    await audience.empty.wait()
    assert audience.telemetry.gone == {"closed": 1}
    assert len(house.feeds) == 0


@pytest.mark.gen_test
async def test_a_connection_that_breaks_is_resumed_whole(
    connect: Connect, house: House, audience: Audience
) -> None:
    first = await connect()
    await message(first)
    await first.write_message(subscribe(range=1000))
    await message(first)
    assert first.protocol is not None
    assert first.protocol.stream is not None
    first.protocol.stream.close()
    await audience.empty.wait()
    await audience.tick(house.store(11))
    await audience.tick(house.store(12))
    second = await connect()
    await message(second)
    await second.write_message(subscribe(after=(START + 10) * 1000))
    assert (await message(second))["columns"]["v"] == [[11, 12]]


@pytest.mark.parametrize(
    ("sent", "binary", "code", "reason"),
    [
        (b"\x00\x01", True, 1003, "closed"),
        ("x" * 70_000, False, 1009, "violation"),
    ],
)
@pytest.mark.gen_test
async def test_what_is_no_message_ends_the_connection(
    connect: Connect, audience: Audience, sent: str | bytes, binary: bool, code: int, reason: str
) -> None:
    client = await connect()
    await message(client)
    await client.write_message(sent, binary=binary)
    assert await ended(client) == code
    await audience.empty.wait()
    assert audience.telemetry.gone == {reason: 1}


@pytest.mark.gen_test
async def test_two_messages_of_another_protocol_end_the_connection(
    connect: Connect, audience: Audience
) -> None:
    client = await connect()
    await message(client)
    await client.write_message("hello")
    error = await message(client)
    assert (error["type"], error["code"]) == ("error", "bad_message")
    await client.write_message("hello again")
    assert await ended(client) == 4000
    await audience.empty.wait()


@pytest.mark.gen_test
async def test_a_bad_query_is_told_and_the_connection_stays(connect: Connect) -> None:
    client = await connect()
    await message(client)
    await client.write_message(subscribe(request=5, queries=["sum(rat(load[5s]))"]))
    error = await message(client)
    assert (error["request"], error["code"], error["position"]) == (5, "bad_query", 4)
    await client.write_message(subscribe(request=6))
    assert (await message(client))["request"] == 6


@pytest.mark.gen_test
async def test_a_hook_that_fails_leaves_no_session_behind(
    connect: Connect,
    audience: Audience,
    monkeypatch: pytest.MonkeyPatch,
    expect_log: Callable[[str], None],
) -> None:
    expect_log("LiveHandler")
    monkeypatch.setattr(audience, "receive", lambda *_: 1 / 0)
    client = await connect()
    await message(client)
    await client.write_message(subscribe())
    await ended(client)
    await audience.empty.wait()
    assert audience.telemetry.gone == {"lost": 1}


@pytest.mark.gen_test
async def test_sessions_come_and_go_without_a_trace(
    io_loop: IOLoop, http_server: HTTPServer, base_url: str, audience: Audience
) -> None:
    url = base_url.replace("http", "ws") + "/live"
    for _ in range(5):
        clients = await asyncio.gather(*(websocket_connect(url) for _ in range(40)))
        for client in clients:
            await client.write_message(subscribe())
            client.close(1000)
            await ended(client)
        await audience.empty.wait()
    assert audience.telemetry.gone == {"closed": 200}
    assert (len(audience.feeds), audience.doors.inside.total()) == (0, 0)


PIECES = st.sampled_from(
    [
        subscribe(),
        subscribe(board="small", range=5000),
        subscribe(queries=["load", "bytes"], after=START * 1000),
        '{"type": "unsubscribe", "feed": 1}',
        '{"type": "ack", "feed": 1, "n": 3}',
        '{"type": "visible", "visible": false}',
        "{}",
    ]
)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES | st.text(max_size=30), min_size=20, max_size=20))
def test_ten_thousand_messages_leave_no_session_behind(texts: list[str]) -> None:
    house = House()
    house.tick(3)
    audience = house.audience(Awake(lambda: 0.0, interval=1.0))
    session = audience.join(Line())
    for text in texts:
        audience.receive(session, text)
    audience.leave(session, "closed")
    assert (len(audience), len(house.feeds)) == (0, 0)
