"""Accepting connections, also when there is no descriptor left for them (accept(2), getrlimit(2)).

Tornado's own accept handler is called again at once when accept fails for want of descriptors: measured,
750,000 lines of log and a full core in ten seconds.  Here the newcomer is turned away, accepting rests for a
second, the log says so once a minute, and those who are inside notice nothing.

The lowest free descriptor is always the next, so a newcomer's own number tells how many are left.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from tornado.iostream import IOStream
from tornado.tcpserver import TCPServer

from monitor.telemetry import Telemetry

log = logging.getLogger(__name__)

EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
RESERVE = 64
"""Descriptors kept free of connections, for files."""
TURN = 128
"""Connections accepted before the event loop looks at the others again."""
REST = 1.0
"""Seconds without accepting after somebody was turned away."""
QUIET = 60.0
"""Seconds between two lines of log."""
REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)


class Gate:
    """Listening sockets whose connections go to a server, as long as there is room."""

    def __init__(
        self,
        server: TCPServer,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.monotonic,
        stream: Callable[..., IOStream] = IOStream,
    ) -> None:
        """`stream` makes a stream of a connection; what it raises as OSError is the connection's end."""
        self.server = server
        self.telemetry = telemetry
        self.stream = stream
        self.clock = clock
        self.listeners: list[socket.socket] = []
        self.highest = 0
        """Descriptors from this number on are not for connections."""
        self._spare: int | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._said: float | None = None
        self._since_said = 0

    def open(self, listeners: Sequence[socket.socket]) -> None:
        """Accept from now on; the sockets listen and do not block, and are the gate's to close."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.highest = max(limit - RESERVE, limit // 2)
        self.listeners = list(listeners)
        self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._listen()

    def close(self) -> None:
        """Accept no more."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        for listener in self.listeners:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()
        self.listeners.clear()
        self._free_spare()

    def accept(self, listener: socket.socket) -> None:
        """Take who waits; turn away those for whom there is no room, and then rest."""
        refused = 0
        for _ in range(TURN):
            try:
                connection, address = listener.accept()
            except BlockingIOError:
                break
            except OSError as error:
                # Others are errors of the one connection, reported late (accept(2), "Error handling").
                if error.errno in EXHAUSTED:
                    refused += self._turn_away_with_spare(listener)
                    self._rest(refused, error.strerror or "")
                    return
                continue
            if connection.fileno() < self.highest:
                self._admit(connection, address)
            else:
                refused += 1
                turn_away(connection)
        if refused:
            self._rest(refused, f"{self.highest} are open")

    def _admit(self, connection: socket.socket, address: object) -> None:
        try:
            stream = self.stream(
                connection,
                max_buffer_size=self.server.max_buffer_size,
                read_chunk_size=self.server.read_chunk_size,
            )
        except OSError:
            connection.close()
            return
        self.server.handle_stream(stream, address)  # type: ignore[arg-type]

    def _listen(self) -> None:
        self._resting = None
        for listener in self.listeners:
            asyncio.get_running_loop().add_reader(listener, self.accept, listener)

    def _rest(self, refused: int, why: str) -> None:
        loop = asyncio.get_running_loop()
        for listener in self.listeners:
            loop.remove_reader(listener)
        if self._resting is None:
            self._resting = loop.call_later(REST, self._listen)
        self.telemetry.connections_refused += refused
        self._since_said += refused
        self._say(why)

    def _say(self, why: str) -> None:
        now = self.clock()
        if self._said is not None and now - self._said < QUIET:
            return
        log.warning(
            "no file descriptor left for new connections (%s): %d turned away since this was last said; "
            "raise LimitNOFILE in the unit file, or `ulimit -n`",
            why,
            self._since_said,
        )
        self._said, self._since_said = now, 0

    def _turn_away_with_spare(self, listener: socket.socket) -> int:
        """Use the descriptor that was kept for this; the number of connections that it was enough for.

        All who wait are told.  Those left waiting would take, dead by then, what is free after the next rest.
        """
        self._free_spare()
        refused = 0
        with suppress(OSError):
            while refused < TURN:
                connection, _ = listener.accept()
                turn_away(connection)
                refused += 1
        with suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        return refused

    def _free_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None


def turn_away(connection: socket.socket) -> None:
    """Answer 503 as far as it can be done without waiting, and close."""
    with connection, suppress(OSError):
        connection.setblocking(False)
        connection.send(REFUSAL)
        connection.shutdown(socket.SHUT_WR)
        # What has come and is not read would turn the end into a reset, which overtakes the answer.
        connection.recv(1 << 14)
