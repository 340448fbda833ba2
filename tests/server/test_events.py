"""`/events` by real sockets: the same stream without an upgrade, who may speak, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application

from monitor.access import Access, Folder, Role, User
from monitor.formats import live
from monitor.server import events
from monitor.server.wire import Sockets
from monitor.stream.audience import Audience
from monitor.stream.liveness import Awake, Bounds
from tests.access.house import open_to_all
from tests.clock import Clock
from tests.conftest import ExpectLog
from tests.server.reader import Event, Reader
from tests.stream.house import START, House, subscribe
from tests.surroundings import PATIENCE

from .conftest import Streaming

BOUNDS = Bounds(ping_interval=10.0, ping_timeout=10.0, no_drain=10.0, close_timeout=2.0, sweep_interval=1.0)
GONE = BOUNDS.ping_interval + BOUNDS.ping_timeout + 4 * BOUNDS.sweep_interval
"""Seconds in which a client that gives no sign of life is gone (docs/liveness.md, G1)."""


@pytest.fixture
def audience(house: House, clock: Clock) -> Audience:
    return house.audience(Awake(clock, interval=1.0), BOUNDS, carrier=Sockets())


@pytest.fixture
def access() -> Access:
    return open_to_all()


@pytest.fixture
def app(streaming: Streaming, audience: Audience, access: Access) -> Application:
    return streaming(access=access, live=events.rules(audience, 4096))


Begin = Callable[..., Awaitable[Reader]]


@pytest.fixture
def begin(io_loop: IOLoop, http_server: HTTPServer, base_url: str, audience: Audience) -> Iterator[Begin]:
    """A viewer; at the end of the test all are closed, and the service has let go of them."""
    readers: list[Reader] = []

    async def begun(version: str = "1.1", **headers: str) -> Reader:
        readers.append(Reader(f"{base_url}/", version=version))
        return await readers[-1].begin(**headers)

    yield begun
    for reader in readers:
        reader.writer.transport.abort()
    io_loop.run_sync(audience.empty.wait, timeout=PATIENCE)
    assert len(audience.feeds) == audience.doors.inside.total() == 0
    assert audience.telemetry.gone.total() == audience.telemetry.sessions_opened


def sweep(audience: Audience, clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds / BOUNDS.sweep_interval)):
        clock.now += BOUNDS.sweep_interval
        audience.sweep()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.gen_test
async def test_it_is_the_numbered_stream(
    begin: Begin, house: House, audience: Audience, version: str
) -> None:
    reader = await begin(version=version)
    assert "content-type: text/event-stream\r\n" in reader.head
    assert "cache-control: no-store, no-transform\r\n" in reader.head
    assert "x-accel-buffering: no\r\n" in reader.head
    assert ("transfer-encoding: chunked" in reader.head) == (version == "1.1")
    assert await reader.say(subscribe(range=2000)) == 204
    assert (await reader.next())["columns"]["v"] == [[9, 10]]
    await audience.tick(house.store(11))
    assert (await reader.next())["n"] == START + 11
    assert await reader.say('{"type": "visible", "visible": false}') == 204
    for second in (12, 13):
        await audience.tick(house.store(second))
        assert (await reader.next())["type"] == "beat"
    assert await reader.say('{"type": "visible", "visible": true}') == 204
    assert (await reader.next())["columns"]["v"] == [[12, 13]]


@pytest.mark.gen_test
async def test_it_is_not_packed_whatever_is_offered(begin: Begin) -> None:
    assert "content-encoding" not in (await begin(Accept_Encoding="gzip, br")).head


@pytest.mark.gen_test
async def test_a_stream_that_breaks_is_resumed_whole(begin: Begin, house: House, audience: Audience) -> None:
    first = await begin()
    await first.say(subscribe(range=1000))
    await first.next()
    await first.close()
    await audience.empty.wait()
    await audience.tick(house.store(11))
    await audience.tick(house.store(12))
    second = await begin()
    await second.say(subscribe(after=(START + 10) * 1000))
    assert (await second.next())["columns"]["v"] == [[11, 12]]


@pytest.mark.gen_test
async def test_credit_holds_as_for_everybody(begin: Begin, house: House, audience: Audience) -> None:
    reader = await begin()
    await reader.say(subscribe(range=0))
    feed = (await reader.next())["feed"]
    last = 10 + audience.limits.credit - 1
    for second in range(11, last + 3):
        await audience.tick(house.store(second))
    for second in range(11, last + 1):
        assert (await reader.next())["n"] == START + second
    assert (await reader.next())["type"] == "beat"
    assert await reader.say({"type": "ack", "feed": feed, "n": START + last, "lag": 40}) == 204
    assert (await reader.next("columns"))["n"] == START + last + 2
    assert audience.telemetry.lag_seconds.count == 1


@pytest.mark.gen_test
async def test_viewers_are_listed_and_can_be_cut(begin: Begin, audience: Audience) -> None:
    reader = await begin(User_Agent="reader/1")
    columns, rows, *_ = audience.viewers()
    row = dict(zip(columns, rows[0], strict=True))
    assert (row["address"], row["agent"], row["state"]) == ("127.0.0.1", "reader/1", "live")
    assert audience.cut(str(row["session"]))
    assert await reader.end() == Event("close", "4403 cut by an operator")


@pytest.mark.gen_test
async def test_a_restart_is_announced_and_then_the_answer_is_whole(begin: Begin, audience: Audience) -> None:
    reader = await begin()
    audience.dismiss(1012, live.notice("restarting", "Back soon.", retry_in=5), "service restart")
    assert (await reader.next())["code"] == "restarting"
    assert await reader.end() == Event("close", "1012 service restart")
    assert await reader.reader.read() == b"\r\n"
    await reader.close()
    await audience.empty.wait()
    assert audience.telemetry.gone == {"closed": 1}


@pytest.mark.gen_test
async def test_who_does_not_go_when_told_is_cut(begin: Begin, audience: Audience, clock: Clock) -> None:
    reader = await begin()
    audience.dismiss(1012, live.notice("restarting", "Back soon.", retry_in=5), "service restart")
    sweep(audience, clock, BOUNDS.close_timeout)
    assert len(audience) == 1
    sweep(audience, clock, BOUNDS.sweep_interval)
    assert audience.telemetry.gone == {"unfinished-close": 1}
    assert (await reader.end()) is not None


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Host": "evil.example"}, 421, "wrong_host"),
        ({"Origin": "http://evil.example"}, 403, "foreign_origin"),
        ({"Origin": "null"}, 403, "foreign_origin"),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "empty"}, 403, "foreign_origin"),
    ],
)
@pytest.mark.gen_test
async def test_pages_of_others_get_no_stream(
    begin: Begin, base_url: str, audience: Audience, headers: dict[str, str], status: int, code: str
) -> None:
    reader = Reader(f"{base_url}/")
    await reader.get(**headers, Connection="close")
    assert f" {status} " in reader.head
    assert json.loads(await reader.reader.read())["error"]["code"] == code
    await reader.close()
    assert audience.telemetry.refused == {code: 1}
    assert len(audience) == 0


@pytest.mark.gen_test
async def test_the_door_counts_those_who_come_this_way(
    begin: Begin, base_url: str, audience: Audience
) -> None:
    audience.doors.per_address = 1
    first = await begin()
    reader = Reader(f"{base_url}/")
    await reader.get()
    assert " 503 " in reader.head
    assert "retry-after: 5\r\n" in reader.head
    reader.writer.close()
    await first.close()
    await audience.empty.wait()
    await begin()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
@pytest.mark.gen_test
async def test_pages_of_others_cannot_speak_for_anybody(
    begin: Begin, audience: Audience, headers: dict[str, str], status: int
) -> None:
    reader = await begin()
    assert await reader.say(subscribe(), **headers) == status
    assert audience.telemetry.messages_received == 0


@pytest.mark.gen_test
async def test_only_who_was_told_its_name_speaks_on_a_stream(begin: Begin, audience: Audience) -> None:
    reader = await begin()
    (session,) = audience.connections
    assert len(bytes.fromhex(reader.name)) == 16
    assert session.id not in reader.name
    for guess in (session.id, "0" * 32, reader.name[:-1], reader.name.upper() + "0", "%00"):
        assert await reader.post(subscribe(), name=guess) == 404
    assert audience.telemetry.messages_received == 0
    await reader.close()
    await audience.empty.wait()
    assert await reader.say(subscribe()) == 404


@pytest.mark.parametrize(
    ("body", "status"), [(b" " * 65537, 413), (b'{"type": "visible", "visible": "\xff"}', 400)]
)
@pytest.mark.gen_test
async def test_what_is_no_message_is_refused(
    begin: Begin, audience: Audience, body: bytes, status: int
) -> None:
    reader = await begin()
    assert await reader.post(body) == status
    assert audience.telemetry.messages_received == 0


@pytest.mark.gen_test
async def test_a_body_that_no_request_may_have_is_not_even_read(begin: Begin) -> None:
    reader = await begin()
    assert await reader.post(b"", Content_Length="100000000") == 400


@pytest.mark.gen_test
async def test_two_messages_of_another_protocol_end_the_stream(begin: Begin) -> None:
    reader = await begin()
    assert await reader.say("hello") == 204
    assert (await reader.next())["code"] == "bad_message"
    assert await reader.say("") == 204
    last = await reader.end()
    assert last is not None
    assert (last.kind, last.data[:5]) == ("close", "4000 ")


@pytest.mark.gen_test
async def test_a_client_that_speaks_on_the_stream_itself_breaks_it(begin: Begin, audience: Audience) -> None:
    reader = await begin()
    reader.writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await reader.end()
    await audience.empty.wait()
    assert audience.telemetry.gone == {"violation": 1}


@pytest.mark.gen_test
async def test_a_half_that_is_closed_ends_both(begin: Begin, audience: Audience) -> None:
    reader = await begin()
    reader.writer.write_eof()
    await reader.end()
    await audience.empty.wait()
    assert audience.telemetry.gone == {"closed": 1}


@pytest.mark.gen_test
async def test_a_client_that_answers_pings_stays(begin: Begin, audience: Audience, clock: Clock) -> None:
    reader = await begin()
    for number in (b"1", b"2", b"3"):
        sweep(audience, clock, BOUNDS.ping_interval + BOUNDS.sweep_interval)
        assert await reader.event() == Event("ping", number.decode())
        assert await reader.post(number, "/pong") == 204
    assert len(audience) == 1
    assert audience.telemetry.round_trip_seconds.count == 3


@pytest.mark.gen_test
async def test_a_client_that_reads_and_gives_no_sign_of_life_is_gone_within_the_bound(
    begin: Begin, audience: Audience, clock: Clock
) -> None:
    reader = await begin()
    sweep(audience, clock, BOUNDS.ping_interval + BOUNDS.sweep_interval)
    assert (await reader.event()).kind == "ping"
    for other in (b"0", b'"1"', b"11", b""):
        assert await reader.post(other, "/pong") == 204
    begun = BOUNDS.ping_interval + BOUNDS.sweep_interval
    sweep(audience, clock, BOUNDS.ping_timeout)
    assert len(audience) == 1
    sweep(audience, clock, GONE - begun - BOUNDS.ping_timeout)
    assert audience.telemetry.gone == {"no-pong": 1}


@pytest.mark.gen_test
async def test_a_client_that_stops_reading_is_queued_for_within_bounds_and_then_gone(
    http_server: HTTPServer, base_url: str, house: House, audience: Audience, clock: Clock
) -> None:
    house.boards["small"] = ("load", "bytes")
    reader = Reader(f"{base_url}/", receive_buffer=2048)
    await reader.get()
    while not reader.name:
        kind, data = await reader.event()
        reader.name = data if kind == "address" else ""
    reader.reader._transport.pause_reading()  # type: ignore[attr-defined]
    house.devices = tuple(f"device{number}" for number in range(2000))
    await audience.tick(house.store(11))
    (connection,) = audience.connections.values()
    await reader.say(subscribe(queries=["bytes"], range=900_000))
    assert not connection.drained()
    waiting = connection.pulse.ledger.written[connection.pulse.slot]
    for second in range(12, 40):
        await audience.tick(house.store(second))
    assert connection.pulse.ledger.written[connection.pulse.slot] == waiting
    sweep(audience, clock, BOUNDS.no_drain + BOUNDS.sweep_interval)
    assert audience.telemetry.gone == {"no-progress": 1}
    await reader.close()
    await asyncio.wait_for(audience.empty.wait(), PATIENCE)


@pytest.mark.gen_test
async def test_a_client_that_is_gone_before_its_answer_leaves_nothing(
    http_server: HTTPServer, base_url: str, audience: Audience
) -> None:
    reader = Reader(f"{base_url}/")
    for _ in range(20):
        _, writer = await reader.connect()
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        writer.transport.abort()
        await asyncio.sleep(0)
    other, writer = await reader.connect()
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b" 200 " in await other.read()
    writer.close()
    await audience.empty.wait()
    assert audience.telemetry.gone.total() == audience.telemetry.sessions_opened


@pytest.mark.gen_test
async def test_a_hook_that_fails_leaves_no_session_behind(
    http_server: HTTPServer,
    base_url: str,
    audience: Audience,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    expect_log: ExpectLog,
) -> None:
    expect_log("Events GET failed")
    monkeypatch.setattr(audience, "_welcome", lambda _: 1 / 0)
    reader = Reader(f"{base_url}/")
    await reader.get()
    assert await reader.end() is None
    sweep(audience, clock, 2 * BOUNDS.sweep_interval)
    assert audience.telemetry.gone == {"zombie": 1}


@pytest.mark.gen_test
async def test_a_stream_without_a_session_is_an_orphan_even_among_others(
    begin: Begin, audience: Audience, clock: Clock
) -> None:
    await begin()
    lost = await begin()
    session = tuple(audience.connections)[1]
    stream: Any = audience.connections.pop(session)
    stream.session = None
    audience.doors.leave("127.0.0.1")
    audience.members.leave(stream.credential.key, session)
    sweep(audience, clock, 2 * BOUNDS.sweep_interval)
    assert audience.telemetry.orphans == 1
    await lost.end()
    session.end()
    audience.apart.pop(session, None)
    audience.telemetry.gone["orphan"] += 1


class TestWhoMay:
    """With users: a stream is its viewer's own."""

    @pytest.fixture
    def access(self, tmp_path: Path) -> Access:
        users = [User(name, "hash", Role.VIEWER) for name in ("ann", "bob")]
        made = Access(Folder(tmp_path), users, None, lambda: 0.0, lambda: 0.0)
        made.open()
        return made

    @pytest.mark.gen_test
    async def test_another_viewer_does_not_speak_on_it_even_with_its_name(
        self, begin: Begin, base_url: str, access: Access, audience: Audience
    ) -> None:
        def shown(name: str) -> dict[str, str]:
            return {"Cookie": f"{access.cookie}={access.begin(access.users[name])}", "Origin": base_url}

        ann, bob = shown("ann"), shown("bob")
        reader = await begin(**ann)
        assert await reader.say(subscribe(), **ann) == 204
        assert await reader.say(subscribe(), **bob) == 404
        assert await reader.say(subscribe()) == 401
        assert await reader.say(subscribe(), Cookie=ann["Cookie"]) == 403  # No Origin: not known to be ours.
        assert audience.telemetry.messages_received == 1

    @pytest.mark.gen_test
    async def test_who_logs_out_is_out(
        self, begin: Begin, base_url: str, access: Access, audience: Audience
    ) -> None:
        secret = access.begin(access.users["ann"])
        reader = await begin(Cookie=f"{access.cookie}={secret}")
        access.end(secret)
        audience.expel(access.sweep(audience.members.keys))
        assert await reader.end() == Event("close", "4401 the credentials have ended")

    @pytest.mark.gen_test
    async def test_a_stranger_gets_none(self, http_server: HTTPServer, base_url: str) -> None:
        reader = Reader(f"{base_url}/")
        await reader.get(Connection="close")
        assert " 401 " in reader.head
        reader.writer.close()


def test_an_event_is_one_line_of_data() -> None:
    assert events.event(b'{"a":"\\n"}') == b'data: {"a":"\\n"}\n\n'
    assert events.event(b"1", "ping") == b"event: ping\ndata: 1\n\n"
    for broken in (b"a\nb", b"a\rb"):
        with pytest.raises(AssertionError):
            events.event(broken)


def test_messages_have_no_line_breaks_whatever_they_tell() -> None:
    told = live.notice("slowed", "a\nb\r\u2028c", skipped=1)
    assert json.loads(events.event(told)[6:]) == json.loads(told)
