"""A WebSocket of a viewer on asyncio's streams (RFC 6455, and RFC 7692 without context take-over)."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import zlib
from base64 import b64encode
from contextlib import suppress
from typing import Any, NamedTuple, Self

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
RECEIVE_BUFFER = 4096
"""Small, so that a slow viewer is soon felt by the service."""
NO_LINGER = struct.pack("ii", 1, 0)


class Place(NamedTuple):
    """Where a viewer is, and where it finds the service."""

    address: str
    host: str
    port: int
    name: str
    """What the service is called in the request."""
    deflate: bool


class ClosedError(ConnectionError):
    """The service closed, or refused."""


class Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.finished = False

    @classmethod
    async def open(cls, place: Place) -> Self:
        """Connected and upgraded.  Raises OSError, EOFError and ClosedError."""
        connection = socket.socket()
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            connection.bind((place.address, 0))
            await asyncio.get_running_loop().sock_connect(connection, (place.host, place.port))
            line = cls(*await asyncio.open_connection(sock=connection))
        except BaseException:
            connection.close()
            raise
        try:
            await line._upgrade(place)
        except BaseException:
            line.abort()
            raise
        return line

    async def _upgrade(self, place: Place) -> None:
        offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if place.deflate else ""
        key = b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /live HTTP/1.1\r\nHost: {place.name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{offer}\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise ClosedError(head.split(b"\r\n")[0].decode())

    async def message(self) -> tuple[dict[str, Any], int]:
        """The next message, and its size in bytes as text; pings are answered meanwhile."""
        while True:
            first, payload = await self._frame()
            opcode = first & 0x0F
            if opcode == PING:
                self._send(PONG, payload)
            elif opcode == CLOSE:
                self._send(CLOSE, payload[:2])
                raise ClosedError(f"closed with {payload!r}")
            elif opcode == TEXT:
                if first & 0x40:
                    payload = zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + b"\0\0\xff\xff")
                return json.loads(payload), len(payload)

    async def _frame(self) -> tuple[int, bytes]:
        first, size = await self.reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2))
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8))
        return first, await self.reader.readexactly(size)

    def send(self, message: dict[str, Any]) -> None:
        self._send(TEXT, json.dumps(message).encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        """A masked frame (RFC 6455 section 5.3), the mask being zero."""
        if self.finished or self.writer.is_closing():
            return
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0xFE, size)
        self.writer.write(bytes([0x80 | opcode]) + length + bytes(4) + payload)

    def finish(self) -> None:
        """FIN: nothing more will be sent."""
        if not self.finished and not self.writer.is_closing():
            self.finished = True
            with suppress(OSError):  # The service may have reset it just now.
                self.writer.write_eof()

    def abort(self) -> None:
        """RST."""
        transport = self.writer.transport
        if not transport.is_closing():
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
