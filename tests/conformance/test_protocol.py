"""How connections are kept and ended, and what of Tornado's internals that relies on."""

import asyncio
import inspect
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.web import Application
from tornado.websocket import WebSocketProtocol13

from monitor.server.protocol import StrictProtocol
from tests.conformance.echo import Living, StrictEcho, make_echo
from tests.conformance.frames import CLOSE, FIN, PING, TEXT, Reading, bare, closing, frame, text
from tests.conformance.peer import answer, dialled, request

INTERNALS = ("_receive_frame_loop", "_parse_extensions_header", "_run_callback", "_handle_message", "_abort")


class Moody(StrictEcho):
    """Does what it is told, wrongly or not."""

    async def on_message(self, message: str | bytes) -> None:
        match message:
            case "fail":
                raise ZeroDivisionError
            case "close":
                self.close(1012, "restarting")
            case "ping after close":
                protocol = self.ws_connection
                assert protocol is not None
                self.close(1012)
                protocol.write_ping(b"late")
            case _:
                await super().on_message(message)


@pytest.fixture
def app(living: Living) -> Application:
    return make_echo(Moody, living=living)


def test_tornado_still_has_what_the_protocol_relies_on() -> None:
    """A Tornado that changes one of these needs a look at protocol.py."""
    for name in INTERNALS:
        assert callable(getattr(WebSocketProtocol13, name)), name
    assert inspect.iscoroutinefunction(WebSocketProtocol13._receive_frame_loop)
    assert list(inspect.signature(WebSocketProtocol13._handle_message).parameters) == [
        "self",
        "opcode",
        "data",
    ]
    assert {"num_bytes", "partial"} <= inspect.signature(IOStream.read_bytes).parameters.keys()
    assert issubclass(StrictProtocol, WebSocketProtocol13)


async def opened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reading:
    writer.write(request("/plain"))
    assert (await answer(reader))[0] == 101
    return Reading(reader)


@pytest.mark.gen_test
async def test_one_who_sends_on_can_still_read_why_he_failed(
    http_server: HTTPServer, http_port: int, living: Living
) -> None:
    async with dialled(http_port) as (reader, writer):
        reading = await opened(reader, writer)
        writer.write(bare(FIN | TEXT, b"not masked") + bytes(1 << 20))
        await writer.drain()
        assert await reading.events() == [("close", 1002)]
    await living.none.wait()


@pytest.mark.gen_test
async def test_the_code_comes_after_all_that_waited(
    http_server: HTTPServer, http_port: int, living: Living
) -> None:
    async with dialled(http_port) as (reader, writer):
        reading = await opened(reader, writer)
        big = "*" * 60000
        writer.write(text(big) * 100 + frame(FIN | 0x3))
        events = await reading.events()
    assert events == [("text", big)] * 100 + [("close", 1002)]
    await living.none.wait()


@pytest.mark.gen_test
async def test_one_who_fails_and_stays_is_waited_for_five_seconds(
    http_server: HTTPServer, http_port: int, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    loop = asyncio.get_running_loop()
    call_at = loop.call_at

    def at_once(when: float, *rest: Any, **more: Any) -> asyncio.TimerHandle:
        asked.append(when - loop.time())
        return call_at(loop.time() if 4 < asked[-1] < 5.1 else when, *rest, **more)

    async with dialled(http_port) as (reader, writer):
        reading = await opened(reader, writer)
        monkeypatch.setattr(loop, "call_at", at_once)
        writer.write(frame(FIN | 0x3))
        assert await reading.events() == [("close", 1002)]
        await living.none.wait()
    # What is left of the five seconds when it is looked at.
    assert any(4 < delay < 5.1 for delay in asked)


@pytest.mark.gen_test
async def test_a_closing_of_ours_ends_with_the_echo_of_theirs(
    http_server: HTTPServer, http_port: int, living: Living
) -> None:
    async with dialled(http_port) as (reader, writer):
        reading = await opened(reader, writer)
        writer.write(text("close"))
        assert await reading.event() == ("close", 1012)
        writer.write(closing(1012))
        assert await reader.read() == b""
    await living.none.wait()


@pytest.mark.gen_test
async def test_no_ping_follows_a_close_frame(http_server: HTTPServer, http_port: int) -> None:
    async with dialled(http_port) as (reader, writer):
        reading = await opened(reader, writer)
        writer.write(text("ping after close"))
        assert await reading.event() == ("close", 1012)
        writer.write(closing(1012))
        assert await reader.read() == b""


@pytest.mark.gen_test
async def test_a_handler_that_fails_gets_no_more_messages(
    http_server: HTTPServer, http_port: int, living: Living, expect_log: Any
) -> None:
    expect_log("Moody GET failed")
    async with dialled(http_port) as (reader, writer):
        reading = await opened(reader, writer)
        writer.write(text("fail") + text("late") + frame(FIN | PING))
        assert (await reading.events())[0][0] == "gone"
    await living.none.wait()


@pytest.mark.gen_test
async def test_one_who_floods_delays_nobody_else(
    http_server: HTTPServer, http_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand pings wait in the socket; another's message is answered within a few of them."""
    pings: list[bytes] = []
    monkeypatch.setattr(Moody, "on_ping", lambda _, data: pings.append(data))
    async with dialled(http_port) as (reader, writer), dialled(http_port) as (other, says):
        await opened(reader, writer)
        reading = await opened(other, says)
        writer.write(frame(FIN | PING) * 100_000)
        says.write(text("Hello"))
        assert await reading.event() == ("text", "Hello")
        assert len(pings) < 10_000


@pytest.mark.gen_test
async def test_one_who_leaves_in_the_middle_is_gone(
    http_server: HTTPServer, http_port: int, living: Living
) -> None:
    for sent in (
        b"",
        b"\x81",
        frame(TEXT, b"half"),
        frame(FIN | TEXT, b"half", size=100),
        frame(FIN | CLOSE)[:3],
    ):
        async with dialled(http_port) as (reader, writer):
            await opened(reader, writer)
            writer.write(sent)
        await living.none.wait()
    assert living.opened == 5
