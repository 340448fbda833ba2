"""One way out, taken exactly once, whichever hook of a connection fails."""

from __future__ import annotations

import asyncio
import gc
import inspect
import weakref
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NoReturn

import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.server.live import LiveHandler
from monitor.server.wire import SharedConnection
from monitor.stream.audience import Audience
from tests.clock import Clock
from tests.conftest import ExpectLog
from tests.stream.house import subscribe
from tests.surroundings import PATIENCE

from .conftest import Streaming

SWEEP = 1.0

Connect = Callable[[], Awaitable[WebSocketClientConnection]]


@pytest.fixture
def app(streaming: Streaming) -> Application:
    return streaming()


@pytest.fixture
def sweep(audience: Audience, clock: Clock) -> Callable[[], None]:
    def once() -> None:
        clock.now += SWEEP
        audience.sweep()

    return once


@pytest.fixture
def nobody_left(
    http_server: HTTPServer,
    io_loop: IOLoop,
    audience: Audience,
    sweep: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[None]:
    """After the test: everybody who came has gone, once, by whatever way, and left nothing behind."""
    handlers: weakref.WeakSet[LiveHandler] = weakref.WeakSet()
    upgraded = audience.orphans.upgraded

    def noted(connection: Any, now: float) -> None:
        handlers.add(connection.handler)
        upgraded(connection, now)

    audience.orphans.upgraded = noted  # type: ignore[method-assign]
    yield
    sweep()
    sweep()
    assert len(audience) == len(audience.feeds) == audience.doors.inside.total() == 0
    assert audience.telemetry.gone.total() == audience.telemetry.sessions_opened
    io_loop.run_sync(http_server.close_all_connections, timeout=PATIENCE)
    for record in caplog.get_records("call"):
        record.exc_info = None  # It holds the frames of what failed.
    gc.collect()
    assert not handlers


@pytest.fixture
def connect(base_url: str, nobody_left: None) -> Iterator[Connect]:
    clients: list[WebSocketClientConnection] = []

    async def connected() -> WebSocketClientConnection:
        clients.append(await websocket_connect(base_url.replace("http", "ws") + "/live"))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


def fails(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("a fault of ours")


async def ended(client: WebSocketClientConnection) -> None:
    while await client.read_message() is not None:
        pass


@pytest.mark.gen_test
async def test_open_fails_before_there_is_a_session(
    connect: Connect,
    audience: Audience,
    expect_log: ExpectLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expect_log("LiveHandler GET failed")
    monkeypatch.setattr(audience, "join", fails)
    await ended(await connect())
    assert audience.telemetry.sessions_opened == 0


@pytest.mark.gen_test
async def test_open_fails_when_there_is_one(
    connect: Connect,
    audience: Audience,
    sweep: Callable[[], None],
    expect_log: ExpectLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expect_log("LiveHandler GET failed")
    monkeypatch.setattr(audience, "_welcome", fails)
    await ended(await connect())
    assert audience.telemetry.sessions_opened == 1
    sweep()
    sweep()
    assert audience.telemetry.gone == {"zombie": 1}


@pytest.mark.gen_test
async def test_on_message_fails(
    connect: Connect,
    audience: Audience,
    expect_log: ExpectLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expect_log("LiveHandler GET failed")
    client = await connect()
    monkeypatch.setattr(audience, "receive", fails)
    await client.write_message("anything")
    await ended(client)
    await asyncio.wait_for(audience.empty.wait(), PATIENCE)
    assert audience.telemetry.gone.total() == 1


@pytest.mark.gen_test
async def test_on_close_is_not_called(
    connect: Connect,
    audience: Audience,
    sweep: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LiveHandler, "on_close", lambda _self: None)
    client = await connect()
    await client.write_message(subscribe())
    client.close()
    await ended(client)
    await until_closed(audience)
    sweep()
    sweep()
    assert audience.telemetry.gone == {"zombie": 1}


@pytest.mark.gen_test
async def test_on_close_fails(
    connect: Connect,
    audience: Audience,
    sweep: Callable[[], None],
    expect_log: ExpectLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expect_log("LiveHandler GET failed")
    client = await connect()
    monkeypatch.setattr(LiveHandler, "on_close", fails)
    client.close()
    await ended(client)
    await until_closed(audience)
    sweep()
    sweep()
    assert audience.telemetry.gone == {"zombie": 1}


@pytest.mark.gen_test
async def test_the_end_of_the_session_fails_and_the_socket_goes_all_the_same(
    connect: Connect,
    audience: Audience,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = await connect()
    (session,) = audience.connections
    monkeypatch.setattr(session, "end", fails)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        audience.leave(session, "no-pong")
    await ended(client)
    assert audience.telemetry.gone == {"no-pong": 1}


@pytest.mark.gen_test
async def test_a_sweep_between_the_end_of_a_socket_and_the_turn_that_tells_of_it_counts_nothing(
    connect: Connect, audience: Audience, sweep: Callable[[], None]
) -> None:
    await connect()
    ((session, connection),) = audience.connections.items()
    assert isinstance(connection, SharedConnection)
    connection.stream.close()  # As where a write finds that the peer is gone.
    sweep()
    assert (session in audience.connections, audience.telemetry.zombies) == (True, 0)
    await asyncio.wait_for(audience.empty.wait(), PATIENCE)
    assert (audience.telemetry.gone, audience.telemetry.zombies) == ({"lost": 1}, 0)


@pytest.mark.gen_test
async def test_everything_that_ends_a_connection_at_once_ends_it_once(
    connect: Connect, audience: Audience, sweep: Callable[[], None]
) -> None:
    client = await connect()
    (session,) = audience.connections
    client.close()
    audience.leave(session, "no-pong")
    audience.leave(session, "lost")
    sweep()
    await ended(client)
    assert audience.telemetry.gone == {"no-pong": 1}


@pytest.mark.gen_test
async def test_a_socket_without_a_session_is_counted_and_cut(
    connect: Connect, audience: Audience, sweep: Callable[[], None]
) -> None:
    client = await connect()
    (session,) = audience.connections
    connection = audience.connections.pop(session)
    sweep()
    assert audience.telemetry.orphans == 0, "it has time to become one"
    sweep()
    assert audience.telemetry.orphans == 1
    await ended(client)
    audience.connections[session] = connection
    sweep()
    assert audience.telemetry.orphans == 1


async def until_closed(audience: Audience) -> None:
    connections = [each for each in audience.connections.values() if isinstance(each, SharedConnection)]
    while not all(each.stream.closed() for each in connections):  # noqa: ASYNC110
        await asyncio.sleep(0)


def test_no_hook_can_hang() -> None:
    """While a hook of the handler waits, Tornado reads no pong: so none of them can wait."""
    told = "on_pong", "on_pinged", "on_wrote", "on_disturbed"
    for name in ("prepare", "open", "on_message", *told, "on_close"):
        hook = getattr(LiveHandler, name)
        assert not inspect.iscoroutinefunction(hook), name
        assert inspect.signature(hook).return_annotation == "None", name
