"""The messages of formats/relay.py over a local socket, in order and both ways."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from monitor.formats import relay


class Relay(asyncio.Protocol):
    """One end.  `take` is given each message, `ended` is called once when the other end is gone."""

    def __init__(self, take: Callable[[relay.Message], None], ended: Callable[[], None]) -> None:
        self.take = take
        self.ended = ended
        self._decoder = relay.Decoder()
        self._transport: asyncio.Transport | None = None
        self._over = asyncio.Event()

    async def begin(self, over: socket.socket) -> None:
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=over)

    def send(self, message: relay.Message) -> None:
        """Dropped where the other end is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(relay.encode(message))

    @property
    def waiting(self) -> int:
        """Bytes that the other end has not taken."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    async def finish(self) -> None:
        """Close once everything has been taken."""
        if self._transport is not None:
            self._transport.close()
            await self._over.wait()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.receive(data):
            self.take(message)

    def connection_lost(self, _error: Exception | None) -> None:
        self._over.set()
        self.ended()
