"""Shared frames on Tornado's sockets.  Beside those of protocol.py it relies on these of Tornado's internals:

- `WebSocketProtocol13._write_frame`: every frame of Tornado's own is written by it;
- `WebSocketProtocol13.write_ping`: Tornado's own ping loop sends through it, and calls
  `close(reason="ping timed out")` when no pong came; `_ping_coroutine` is that loop's task;
- `WebSocketHandler.ws_connection.stream` and its `socket`;
- pings, pongs and closes go through `stream.write`, so frames never interleave with ours.

tests/server/test_wire.py fails clearly when a new Tornado changes one of them.  `PublicConnection` is the
fallback for the writing: `write_message`, at the price of a task and a copy for each client and message.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios
from asyncio import Future
from collections.abc import Sequence
from typing import Protocol

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from monitor.access import Credential
from monitor.server import tcp
from monitor.server.inbound import CLOSE
from monitor.server.protocol import StrictProtocol
from monitor.stream.frames import Frame
from monitor.stream.liveness import Facts
from monitor.stream.pulse import Pulse
from monitor.stream.session import Session

TIMED_OUT = "ping timed out"
"""The reason that `periodic_ping` gives when it closes."""
AGENT = 120
"""Characters kept of a User-Agent, once for all who have the same."""
NOTHING = bytes(4)
DEAD = -1
"""In place of a number of bytes."""


def header(size: int) -> int:
    """Bytes before a payload that a server sends (RFC 6455 section 5.2)."""
    return 2 if size < 126 else 4 if size < 1 << 16 else 10


class Upgraded(Protocol):
    """What the protocol tells and asks its handler."""

    session: Session | None

    def on_pinged(self, data: bytes) -> None: ...

    def on_wrote(self, size: int) -> None:
        """A frame of the protocol's own was written, of so many bytes."""

    def on_disturbed(self) -> None:
        """A frame of the protocol's own waits in the stream, or it was the last."""


class LiveProtocol(StrictProtocol):
    """The strict protocol, with pings that are noticed and a late pong left to the sweep."""

    @property
    def upgraded(self) -> Upgraded:
        return self.handler  # type: ignore[return-value]

    @property
    def session(self) -> Session | None:
        return self.upgraded.session

    def is_gone(self) -> bool:
        stream: IOStream | None = self.stream  # None until Tornado hands it over.
        return stream is None or stream.closed()

    def cut(self) -> None:
        self._abort()

    def write_ping(self, data: bytes) -> None:
        """Told when it is written, so that it counts as delivered no sooner than its last byte is."""
        if not self.is_closing():
            super().write_ping(data)
            self.upgraded.on_pinged(data)

    def _write_frame(self, fin: bool, opcode: int, data: bytes, flags: int = 0) -> Future[None]:
        written: Future[None] = super()._write_frame(fin, opcode, data, flags)
        self.upgraded.on_wrote(len(data) + header(len(data)))
        if opcode == CLOSE or self.stream.writing():
            self.upgraded.on_disturbed()
        return written

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Closes, but leaves the verdict on a late pong to the sweep, which knows whether the ping arrived.

        Tornado alone cuts an honest slow reader whose ping still waits behind data (measured: after P + T).
        """
        if reason == TIMED_OUT:
            self._ping_coroutine = None
            self.start_pinging()
        else:
            super().close(code, reason)


class SharedConnection:
    """Writes the bytes of shared frames to one socket: no task, no future, no copy for this client.

    What the kernel does not take at once waits in the stream as a view of the shared frame.
    """

    __slots__ = (
        "_own_pings",
        "address",
        "agent",
        "credential",
        "deflate",
        "protocol",
        "pulse",
        "socket",
        "stream",
    )

    pulse: Pulse

    def __init__(self, handler: WebSocketHandler, send_buffer: int) -> None:
        protocol = handler.ws_connection
        assert isinstance(protocol, LiveProtocol)
        self.protocol = protocol
        self.stream = protocol.stream
        self.deflate = protocol.deflates
        self.address = handler.request.remote_ip or ""
        self.credential: Credential = handler.current_user
        self.agent = sys.intern(handler.request.headers.get("User-Agent", "")[:AGENT])
        self.socket = None if isinstance(self.stream, SSLIOStream) else self.stream.socket
        self._own_pings = 0
        tcp.tune(self.stream, send_buffer)

    def send(self, frames: Sequence[Frame]) -> int:
        if self.protocol.is_closing():
            return 0
        parts = [frame.wire(self.deflate) for frame in frames]
        size = len(parts[0]) if len(parts) == 1 else sum(map(len, parts))
        self.pulse.wrote(size)
        sent = self._send_now(parts) if self.socket and not self.stream.writing() else 0
        if sent < size:
            self._send_later(parts, sent)
        return size

    def _send_now(self, parts: list[bytes]) -> int:
        """Bytes that the kernel took, in one system call."""
        try:
            return self.stream.socket.send(parts[0]) if len(parts) == 1 else self.stream.socket.sendmsg(parts)
        except BlockingIOError:
            return 0
        except OSError as error:
            self.stream.close(exc_info=error)
            return 0

    def go_on(self, data: bytes, taken: int) -> None:
        if taken < 0:
            self.stream.close()
        elif not self.protocol.is_closing():
            self._send_later([data], taken)

    def undisturbed(self) -> bool:
        return not (self.stream.writing() or self.protocol.is_closing())

    def _send_later(self, parts: list[bytes], sent: int) -> None:
        self.pulse.disturbed()
        try:
            for part in parts:
                if sent < len(part):
                    self.stream.write(memoryview(part)[sent:])
                sent = max(0, sent - len(part))
        except StreamClosedError:
            return

    def drained(self) -> bool:
        return not self.stream.writing()

    def facts(self, now: float) -> Facts:
        return tcp.facts(self.stream, self.pulse, now, self.protocol.is_closing())

    def ping(self) -> None:
        """A ping of our own, with a payload of 8 bytes that its pong must match."""
        self._own_pings += 1
        try:
            self.protocol.write_ping(struct.pack("!Q", self._own_pings))
        except StreamClosedError:
            return

    def close(self, code: int, reason: str) -> None:
        self.protocol.close(code, reason)

    def abort(self) -> None:
        tcp.reset(self.stream)


class PublicConnection(SharedConnection):
    """The same by Tornado's public interface alone: each client's message is encoded and compressed anew."""

    __slots__ = ()

    def __init__(self, handler: WebSocketHandler, send_buffer: int) -> None:
        super().__init__(handler, send_buffer)
        self.socket = None

    def send(self, frames: Sequence[Frame]) -> int:
        for frame in frames:
            try:
                self.protocol.write_message(frame.payload).add_done_callback(_retrieve)
            except WebSocketClosedError:
                return 0
        return sum(map(len, frames))


class Sockets:
    """The sockets of shared connections, many at a time."""

    def broadcast(self, sockets: Sequence[socket.socket | None], data: bytes) -> list[tuple[int, int]]:
        size = len(data)
        short = []
        for place, each in enumerate(sockets):
            if each is None:
                continue
            try:
                taken = each.send(data)
            except BlockingIOError:
                taken = 0
            except OSError:
                taken = DEAD
            if taken != size:
                short.append((place, taken))
        return short

    def waiting(self, sockets: Sequence[socket.socket | None]) -> list[int]:
        """Bytes in the kernel's send queues (tcp(7), SIOCOUTQ)."""
        queued = bytearray(4)
        found = []
        for each in sockets:
            try:
                fcntl.ioctl(each.fileno(), termios.TIOCOUTQ, queued, True)  # type: ignore[union-attr]
            except (OSError, ValueError, AttributeError):
                found.append(DEAD)
            else:
                found.append(0 if queued == NOTHING else int.from_bytes(queued, sys.byteorder))
        return found


def _retrieve(future: object) -> None:
    """A client that goes while a message waits is no error of ours; Tornado would log its future."""
    future.cancelled() or future.exception()  # type: ignore[attr-defined]
