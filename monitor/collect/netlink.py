"""Questions to the kernel over netlink(7), answered in pieces between the turns of the event loop.

RFC 3549 and Linux, Documentation/userspace-api/netlink/intro.rst: a message is a header of 16 bytes and its
content; a dump is many of them and one that says it is done; attributes are a length, a type and a value.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

HEADER = struct.Struct("=IHHII")
"""Length with the header, type, flags, sequence number, port."""
ATTRIBUTE = struct.Struct("=HH")
ERROR, DONE = 2, 3
REQUEST, DUMP = 0x1, 0x300
PIECE = 1 << 16
"""Bytes of one answer; the kernel gives 32 KiB at most."""
TYPE = 0x3FFF
"""The bits of an attribute's type that are no flags."""

Ask: TypeAlias = Callable[[int, int, bytes], AsyncIterator[bytes]]
"""The contents of the messages that answer a dump; called with protocol, type, and what is asked."""


async def dump(protocol: int, kind: int, question: bytes) -> AsyncIterator[bytes]:
    """The contents of all messages that answer.  Raises OSError where the kernel refuses."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol) as asked:
        asked.send(HEADER.pack(HEADER.size + len(question), kind, REQUEST | DUMP, 1, 0) + question)
        while True:
            for answer, content in messages(await loop.sock_recv(asked, PIECE)):
                if answer == DONE:
                    return
                if answer == ERROR:
                    raise refusal(content)
                yield content
            await asyncio.sleep(0)  # What is there already is received without a turn.


@dataclass(eq=False)
class Asker:
    """A collector that asks the kernel now and then, and holds nothing; `ask` stands for it in tests."""

    every: float = 5.0
    ask: Ask = dump
    limit = 5.0

    async def close(self) -> None:
        """Nothing is held."""


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each message.  Raises ValueError for one that is cut off."""
    start = 0
    while start < len(data):
        if start + HEADER.size > len(data):
            raise ValueError(f"netlink: a header expected, found {len(data) - start} bytes")
        length, kind, _, _, _ = HEADER.unpack_from(data, start)
        if not HEADER.size <= length <= len(data) - start:
            raise ValueError(f"netlink: a message of {length} bytes in {len(data) - start}")
        yield kind, data[start + HEADER.size : start + length]
        start += aligned(length)


def attributes(data: bytes, start: int = 0) -> dict[int, bytes]:
    """Value by type of the attributes from a place on.  Raises ValueError for one that is cut off."""
    found: dict[int, bytes] = {}
    while start + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, start)
        if not ATTRIBUTE.size <= length <= len(data) - start:
            raise ValueError(f"netlink: an attribute of {length} bytes in {len(data) - start}")
        found[kind & TYPE] = data[start + ATTRIBUTE.size : start + length]
        start += aligned(length)
    return found


def aligned(length: int) -> int:
    return (length + 3) & ~3


def text(value: bytes) -> str:
    """A value that is text and ends in a zero."""
    return value.rstrip(b"\0").decode(errors="replace")


def refusal(content: bytes) -> OSError:
    number = -struct.unpack_from("=i", content)[0]
    return OSError(number, os.strerror(number), "netlink")
