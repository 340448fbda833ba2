"""Connections that are not, or not yet, viewers: each must soon be a finished request (RFC 9112 section 9).

One of Tornado's own time-outs serves for two things: a connection that has asked nothing yet, which deserves
little patience, and one that a browser keeps for its next request.  `Arrivals` is swept like the live
connections, by the same clock, and guarantees, with H = `request`, K = `idle`, D = `answer` and S the
interval of the sweeps, that these are closed:

- a connection whose first request is not whole, however its bytes drip: H + S after it was accepted;
- one whose next request is not whole: H + 2 S after its first byte;
- one kept without a request: K + S after the last answer;
- one that takes nothing of its answer: D + S after it last did.

It relies on these of Tornado's internals, and tests/server/test_arrivals.py fails when they change:
`stream._read_buffer` holds what has come of an unfinished header, `stream._total_write_done_index` counts the
bytes that the kernel took.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream

from monitor.server.proxies import NOBODY, Forwarded, Proxies
from monitor.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Awaitable


KEPT = 60.0
"""Seconds that a connection may wait for its next request: browsers keep some open."""


PROMPT = 0.5
"""Seconds after which a connection that has sent no request is taken for one that was opened in advance."""
LOOK = 0.01
"""Seconds from one look at the answers that are owed to the next."""


class Phase(Enum):
    """What a connection is waiting for; the value is the reason counted when it waits too long."""

    REQUEST = "unfinished-request"
    IDLE = "idle"
    ANSWER = "unread-answer"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that each phase may last."""

    request: float = 10.0
    idle: float = KEPT
    answer: float = 10.0

    def of(self, phase: Phase) -> float:
        return {Phase.REQUEST: self.request, Phase.IDLE: self.idle, Phase.ANSWER: self.answer}[phase]


class Arrival:
    """One accepted connection; times are seconds of the sweep's clock."""

    __slots__ = ("phase", "since", "stream", "taken")

    def __init__(self, stream: IOStream, now: float) -> None:
        self.stream = stream
        self.phase = Phase.REQUEST
        self.since = now
        self.taken = 0
        """Bytes that the kernel had taken at the last sweep."""

    def enter(self, phase: Phase, now: float) -> None:
        self.phase, self.since = phase, now

    def look(self, now: float) -> None:
        """Note at a sweep what nobody tells: the first bytes of another request, progress of an answer."""
        if self.phase is Phase.IDLE and self.stream._read_buffer:  # noqa: SLF001
            self.enter(Phase.REQUEST, now)
        elif self.phase is Phase.ANSWER:
            taken = self.stream._total_write_done_index  # noqa: SLF001
            if taken != self.taken or not self.stream.writing():
                self.taken, self.since = taken, now


class Arrivals:
    """Every connection of the HTTP server, until it ends or becomes a WebSocket."""

    def __init__(self, clock: Callable[[], float], patience: Patience, telemetry: Telemetry) -> None:
        self.clock = clock
        self.patience = patience
        self.telemetry = telemetry
        self.waiting: dict[object, Arrival] = {}

    def __len__(self) -> int:
        return len(self.waiting)

    def begins(self, connection: Any) -> Arrival:
        """The server waits for a request on a connection: its first, or the one after an answer."""
        now = self.clock()
        known = self.waiting.get(connection)
        if known is None:
            known = self.waiting[connection] = Arrival(connection.stream, now)
        else:
            known.enter(Phase.IDLE, now)
        return known

    def leaves(self, connection: object) -> None:
        self.waiting.pop(connection, None)

    async def answered(self) -> None:
        """Wait until nobody is owed an answer; no more connections may be let in meanwhile."""
        while any(self._owed(each, self.clock()) for each in self.waiting.values()):  # noqa: ASYNC110
            await asyncio.sleep(LOOK)

    def _owed(self, arrival: Arrival, now: float) -> bool:
        asks = arrival.phase is Phase.REQUEST and now - arrival.since < PROMPT
        return (asks or arrival.phase is Phase.ANSWER) and not arrival.stream.closed()

    def sweep(self) -> None:
        now = self.clock()
        for arrival in tuple(self.waiting.values()):
            if arrival.stream.closed():
                continue  # Its task takes it out at its next turn.
            arrival.look(now)
            if now - arrival.since >= self.patience.of(arrival.phase):
                self.telemetry.expired[arrival.phase.value] += 1
                arrival.stream.close()


class Request(HTTPMessageDelegate):
    """Passes a request on, and notes when it is whole."""

    def __init__(self, inner: HTTPMessageDelegate, arrival: Arrival, clock: Callable[[], float]) -> None:
        self.inner = inner
        self.arrival = arrival
        self.clock = clock

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self.inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self.inner.data_received(chunk)

    def finish(self) -> None:
        self.arrival.enter(Phase.ANSWER, self.clock())
        self.inner.finish()

    def on_connection_close(self) -> None:
        self.inner.on_connection_close()


class WatchedServer(HTTPServer):
    """Tornado's server, with every connection known to its arrivals, and every request by who asks."""

    arrivals: Arrivals | None = None
    proxies: Proxies = NOBODY

    def set_patience(self, patience: Patience) -> None:
        """For the connections that there are already, too; Tornado's own time-outs are the second line."""
        self.conn_params.header_timeout = self.conn_params.body_timeout = patience.idle
        if self.arrivals is not None:
            self.arrivals.patience = patience

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        delegate: HTTPMessageDelegate = super().start_request(server_conn, request_conn)
        delegate = Forwarded(delegate, request_conn, self.proxies)
        if self.arrivals is None:
            return delegate
        return Request(delegate, self.arrivals.begins(server_conn), self.arrivals.clock)

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        if self.arrivals is not None:
            self.arrivals.leaves(server_conn)
