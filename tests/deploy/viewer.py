"""A viewer behind a proxy: its own address, TLS, and what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.line import PONG, ClosedError, Line

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ADDRESS = "127.0.0.2"


class Viewer(Line):
    """Connects from ADDRESS, says that it comes from elsewhere, and notes what it was sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.pinged = 0
        self.head = ""
        """Of the answer to its upgrade."""

    @classmethod
    async def connect(cls, url: str, trust: ssl.SSLContext) -> Viewer:
        """Upgraded and welcomed."""
        place = urlsplit(url)
        assert place.hostname
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", place.port, ssl=trust, server_hostname=place.hostname, local_addr=(ADDRESS, 0)
        )
        viewer = cls(reader, writer)
        writer.write(
            f"GET {place.path}live HTTP/1.1\r\nHost: {place.netloc}\r\nOrigin: https://{place.netloc}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
            "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\n\r\n".encode()
        )
        viewer.head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert " 101 " in viewer.head, viewer.head
        assert (await viewer.next())["type"] == "welcome"
        return viewer

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these types, or of any.  Raises ClosedError."""
        while True:
            message, _ = await self.message()
            if not kinds or message["type"] in kinds:
                return message

    async def subscribe(self, after: int | None = None) -> list[int]:
        """Times (ms) of the columns that it is sent at once."""
        past = {"range": 0} if after is None else {"after": after}
        self.send({"type": "subscribe", "request": 1, "queries": ["node_load1"], **past})
        times: list[int] = (await self.next("subscribed"))["columns"]["t"]
        return times

    async def ticks(self, count: int) -> list[int]:
        """Times (ms) of so many ticks."""
        return [(await self.next("tick"))["t"] for _ in range(count)]

    async def end(self) -> str:
        """How the connection ends."""
        try:
            while True:
                await self.next()
        except ClosedError as error:
            return str(error)
        except (EOFError, OSError) as error:
            return type(error).__name__

    def _send(self, opcode: int, payload: bytes) -> None:
        self.pinged += opcode == PONG
        super()._send(opcode, payload)

    async def close(self) -> None:
        self.writer.transport.abort()
        await asyncio.sleep(0)
