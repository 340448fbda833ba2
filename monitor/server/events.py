"""`/events`: the live stream as server-sent events, for pages whose WebSocket does not get through.

The messages are those of docs/protocol.md, one an event (WHATWG HTML section 9.2); what the client says comes
as requests of their own, at an address that nobody else is told.  Beside messages there are the events
`address`, `ping`, which the client has to answer by a request, and `close`, which tells code and reason.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import SHUT_WR
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.iostream import IOStream, StreamClosedError

from monitor.access import Credential, Permission
from monitor.server import tcp
from monitor.server.base import HEADERS, Base
from monitor.server.errors import Failure
from monitor.server.live import judge_room
from monitor.server.wire import AGENT
from monitor.stream.audience import Audience
from monitor.stream.frames import Frame
from monitor.stream.liveness import Facts
from monitor.stream.pulse import Pulse
from monitor.stream.session import Session

HEAD = {
    **HEADERS,
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",
    "Connection": "close",
    "X-Accel-Buffering": "no",
}
"""The last is for nginx, which otherwise keeps what it reads until it has a lot."""
LAST = b"0\r\n\r\n"
"""The end of a chunked answer (RFC 9112 section 7.1)."""
UNKNOWN = "There is no such stream; it may have ended."


def event(data: bytes, kind: str = "") -> bytes:
    """An event of one line of data, which JSON is, and reasons are."""
    assert b"\n" not in data
    assert b"\r" not in data
    named = f"event: {kind}\n".encode() if kind else b""
    return b"%sdata: %s\n\n" % (named, data)


class EventConnection:
    """An answer that does not end.  It is its own: no carrier writes to it."""

    deflate = False
    socket = None
    pulse: Pulse

    def __init__(
        self,
        stream: IOStream,
        request: HTTPServerRequest,
        credential: Credential,
        clock: Callable[[], float],
    ) -> None:
        """The stream has been sent the head of the answer; `clock` is the sweep's."""
        self.stream = stream
        self.chunked = request.version == "HTTP/1.1"
        self.address = request.remote_ip or ""
        self.agent = sys.intern(request.headers.get("User-Agent", "")[:AGENT])
        self.credential = credential
        self.clock = clock
        self.session: Session | None = None
        self._closing = False
        self._pings = 0

    @property
    def ending(self) -> str:
        """How a stream has ended that we did not end."""
        return "lost" if self.stream.error else "closed"

    def send(self, frames: Sequence[Frame]) -> int:
        return 0 if self._closing else self._write(b"".join(event(frame.payload) for frame in frames))

    def tell(self, kind: str, data: bytes) -> None:
        """Send an event that is no message of the protocol."""
        if not self._closing:
            self._write(event(data, kind))

    def _write(self, text: bytes, last: bytes = b"") -> int:
        data = b"%x\r\n%s\r\n%s" % (len(text), text, last) if self.chunked else text
        self.pulse.wrote(len(data))
        with suppress(StreamClosedError):
            self.stream.write(data)
        return len(data)

    def go_on(self, data: bytes, taken: int) -> None:
        """Nobody writes to it but itself."""

    def undisturbed(self) -> bool:
        return False

    def drained(self) -> bool:
        return not self.stream.writing()

    def facts(self, now: float) -> Facts:
        return tcp.facts(self.stream, self.pulse, now, self._closing)

    def ping(self) -> None:
        """Asks for an answer, as no page can be seen to read otherwise."""
        self._pings += 1
        number = b"%d" % self._pings
        self.tell("ping", number)
        self.pulse.pinged(number, self.clock())

    def close(self, code: int, reason: str) -> None:
        """The end of the answer, and of our half of the connection; the client ends the other."""
        if self._closing:
            return
        self._write(event(f"{code} {reason}".encode(), "close"), LAST)
        self._closing = True
        with suppress(StreamClosedError):
            self.stream.write(b"").add_done_callback(self._finish)

    def _finish(self, _written: object) -> None:
        with suppress(OSError):
            if not self.stream.closed():
                self.stream.socket.shutdown(SHUT_WR)

    def abort(self) -> None:
        tcp.reset(self.stream)

    def is_gone(self) -> bool:
        return self.stream.closed()

    def cut(self) -> None:
        self.abort()


Streams = dict[str, EventConnection]
"""By the secret names that their clients were told."""


class Events(Base):
    """One stream."""

    needs = Permission.VIEW

    def initialize(self, audience: Audience, streams: Streams, send_buffer: int) -> None:
        self.audience = audience
        self.streams = streams
        self.send_buffer = send_buffer

    def prepare(self) -> None:
        """As for a WebSocket, refusals are counted."""
        try:
            super().prepare()
            judge_room(self.audience.doors, self.request.remote_ip or "")
        except Failure as failure:
            self.audience.telemetry.refused[failure.code] += 1
            raise

    async def get(self) -> None:
        """Until one of both ends the stream; a client that says anything on it breaks it."""
        assert self.current_user is not None
        stream = self._begin()
        connection = EventConnection(stream, self.request, self.current_user, self.audience.awake)
        name = secrets.token_hex(16)
        ending = "violation"
        try:
            tcp.tune(stream, self.send_buffer)
            self._join(connection, name)
            await stream.read_bytes(1, partial=True)
        except (StreamClosedError, OSError):
            ending = connection.ending
        finally:
            self.streams.pop(name, None)
            connection.abort()
            if connection.session is not None:
                self.audience.leave(connection.session, ending)

    def _begin(self) -> IOStream:
        """The head of the answer; what follows is ours to write, as no transform may hold it back."""
        connection = self.request.connection
        assert connection is not None
        connection.write_headers(ResponseStartLine("", 200, "OK"), HTTPHeaders(HEAD))
        self._log()
        return self.detach()

    def _join(self, connection: EventConnection, name: str) -> None:
        self.audience.orphans.upgraded(connection, self.audience.awake())
        connection.session = self.audience.join(connection)
        self.streams[name] = connection
        connection.tell("address", name.encode())


class Said(Base):
    """What the client of a stream says: a message of the protocol."""

    needs = Permission.VIEW

    def initialize(self, audience: Audience, streams: Streams) -> None:
        self.audience = audience
        self.streams = streams

    def post(self, name: str) -> None:
        connection, session = self._stream(name)
        self.take(connection, session, self._body())
        self.set_status(204)

    def take(self, _connection: EventConnection, session: Session, said: bytes) -> None:
        try:
            text = said.decode()
        except UnicodeDecodeError:
            raise Failure(400, "bad_message", "A message has to be JSON in UTF-8.") from None
        self.audience.receive(session, text)

    def _stream(self, name: str) -> tuple[EventConnection, Session]:
        """Known to the one who was told its name, by what he showed then."""
        found, who = self.streams.get(name), self.current_user
        if not found or not found.session or not who or who.key != found.credential.key:
            raise Failure(404, "unknown_stream", UNKNOWN)
        return found, found.session

    def _body(self) -> bytes:
        most = self.audience.limits.message
        if len(self.request.body) > most:
            raise Failure(413, "too_large", f"A message may have {most} bytes.")
        return self.request.body


class Pong(Said):
    """Its answer to a ping: the ping's data."""

    def take(self, connection: EventConnection, _session: Session, said: bytes) -> None:
        round_trip = connection.pulse.ponged(said, self.audience.awake())
        if round_trip is not None:
            self.audience.telemetry.round_trip_seconds.observe(round_trip)


Rule = tuple[str, type[Base], dict[str, Any]]


def rules(audience: Audience, send_buffer: int) -> Sequence[Rule]:
    """Which path is answered by what."""
    held = {"audience": audience, "streams": Streams()}
    return (
        (r"/events", Events, {**held, "send_buffer": send_buffer}),
        (r"/events/([^/]+)", Said, held),
        (r"/events/([^/]+)/pong", Pong, held),
    )
