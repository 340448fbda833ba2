"""`/live`: the WebSocket upgrade, and the carrying of messages between session and socket (RFC 6455)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from tornado.websocket import WebSocketHandler

from monitor.access import Permission
from monitor.formats.live import SUBPROTOCOL
from monitor.server.base import Base
from monitor.server.errors import Failure
from monitor.server.handover import Taker, handed_over
from monitor.server.protocol import admit
from monitor.server.wire import LiveProtocol, SharedConnection
from monitor.stream.audience import Audience
from monitor.stream.doors import Doors
from monitor.stream.session import Session

NO_ORIGIN = "A session is a browser's, which says where its page is from; programs show a token."


def judge_room(doors: Doors, address: str) -> None:
    """Raises Failure where one more viewer has no room."""
    if doors.full_for(address):
        text = "As many viewers as server.websocket.max_clients or per_address allow are connected."
        raise Failure(503, "too_many_viewers", text, {"Retry-After": "5"})


class LiveHandler(Base, WebSocketHandler):
    """Its methods only enqueue and return: while one of them runs, Tornado reads no pong of this client."""

    needs = Permission.VIEW

    def initialize(
        self, audience: Audience, compression: bool, send_buffer: int, taker: Taker | None = None
    ) -> None:
        self.audience = audience
        self.compression = compression
        self.send_buffer = send_buffer
        self.taker = taker
        self.session: Session | None = None
        self.connection: SharedConnection | None = None

    def set_default_headers(self) -> None:
        """None: they speak of pages, and an upgrade is none.  Refusals bear them, as all errors do."""
        self.clear_header("Server")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        super().set_default_headers()
        super().write_error(status_code, **kwargs)

    def prepare(self) -> None:
        """Refusals are real HTTP answers, so that proxies and people see why (docs/protocol.md, Upgrade)."""
        try:
            super().prepare()
            self._admit()
        except Failure as failure:
            self.audience.telemetry.refused[failure.code] += 1
            raise

    def _admit(self) -> None:
        admit(self.request)
        if self.current_user.ambient and "Origin" not in self.request.headers:
            raise Failure(403, "foreign_origin", NO_ORIGIN)
        offered = [
            name.strip()
            for name in self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
            if name.strip()
        ]
        if offered and SUBPROTOCOL not in offered:
            raise Failure(400, "unknown_subprotocol", f"This service speaks {SUBPROTOCOL}.")
        judge_room(self.audience.doors, self.request.remote_ip or "")

    def get(self, *args: Any, **kwargs: Any) -> Awaitable[None] | None:  # type: ignore[override]
        """Upgrade here, unless another process takes the connection and does."""
        if not handed_over(self.request, self.current_user, self.taker):
            return super().get(*args, **kwargs)
        self.set_status(101)
        self._log()
        self.detach().close()
        return None

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.compression else None

    def get_websocket_protocol(self) -> LiveProtocol | None:
        plain = super().get_websocket_protocol()
        if plain is None:
            return None
        strict = LiveProtocol(self, False, plain.params)  # type: ignore[attr-defined]
        self.audience.orphans.upgraded(strict, self.audience.awake())
        return strict

    def open(self, *_args: str, **_kwargs: str) -> None:
        self.connection = SharedConnection(self, self.send_buffer)
        self.session = self.audience.join(self.connection)
        self._forget()

    def _forget(self) -> None:
        """The request is answered; ten thousand viewers' headers would take 30 MB."""
        self.request.headers.clear()
        self._headers.clear()
        self.ui.clear()

    def on_message(self, message: str | bytes) -> None:
        if self.session is None:
            return
        if isinstance(message, bytes):
            self.close(1003, "text messages only")
        else:
            self.audience.receive(self.session, message)

    def on_pinged(self, data: bytes) -> None:
        if self.session is not None and self.connection is not None:
            self.connection.pulse.pinged(data, self.audience.awake())

    def on_wrote(self, size: int) -> None:
        if self.session is not None and self.connection is not None:
            self.connection.pulse.wrote(size)

    def on_disturbed(self) -> None:
        if self.session is not None and self.connection is not None:
            self.connection.pulse.disturbed()

    def on_pong(self, data: bytes) -> None:
        if self.session is None or self.connection is None:
            return
        round_trip = self.connection.pulse.ponged(data, self.audience.awake())
        if round_trip is not None:
            self.audience.telemetry.round_trip_seconds.observe(round_trip)

    def on_close(self) -> None:
        """Not every death of a connection comes by here; those that do leave by the same way as all."""
        if self.session is not None and self.connection is not None:
            self.audience.leave(self.session, self.connection.protocol.ending)
