"""A client on a bare socket: it says exactly what it is told, and reports what it meets."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.conformance.cases import END, Case
from tests.conformance.frames import Event, Reading

OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that spares the client's port a minute of TIME_WAIT."""


def request(path: str, *more: str, drop: tuple[str, ...] = (), line: str = "GET {} HTTP/1.1") -> bytes:
    """A good handshake, but for the headers named in `drop` and those added."""
    lines = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    kept = [f"{name}: {value}" for name, value in lines.items() if name not in drop]
    return "\r\n".join([line.format(path), *kept, *more, "", ""]).encode()


@asynccontextmanager
async def dialled(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers, these in lower case."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def played(port: int, case: Case, deflate: bool) -> list[Event]:
    """What a client meets that says what the case says, all at once, and reads to the end."""
    offer = [f"Sec-WebSocket-Extensions: {OFFER}"] if deflate else []
    async with dialled(port) as (reader, writer):
        writer.write(request("/deflate" if deflate else "/plain", *offer))
        status, headers = await answer(reader)
        assert status == 101
        assert ("sec-websocket-extensions" in headers) is deflate
        writer.write(case.sent)
        reading = Reading(reader)
        events = await reading.events(len(case.expected) - 1) if case.ends else []
        if case.ends:
            writer.write(END)
        events += await reading.events()
        writer.close()
        return events
