"""One of thousands of viewers in one process: as small as can be, since the service is what is measured.

Equal messages have equal bytes, and so each is read once for all; what a viewer keeps is numbers of columns.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from tests.chaos.backoff import Backoff

FIRST, CEILING = 0.25, 15.0
"""Back-off in seconds, as docs/protocol.md says."""
PATIENCE = 30.0
KEPT = 512
"""Messages that are remembered as read."""
ACK_TICKS = 4
"""Messages with columns, of which the last is acknowledged.  Numbers of columns would not do: those of some
viewers would never come where a busy service leaves out every other tick, and they would be sent no more."""
BOARD = "overview"
RANGE = 1000
ASKED = 20
"""A viewer has asked less than so many times before: its requests have numbers of its own."""
PING, CLOSE = 9, 8


class Read(NamedTuple):
    """What matters of a message."""

    type: str
    n: int = 0
    first: int = 0
    """Number of the first column in it; n + 1 where there is none."""
    feed: int = 0
    time: float = 0.0
    """Of the last column, Unix seconds."""
    retry_in: float | None = None
    step: int = 0


@dataclass
class Arrival:
    """When the first and the last viewer had a column (Unix seconds)."""

    time: float
    first: float
    last: float


class Tally:
    """What all viewers of the process have seen since the last restart."""

    def __init__(self) -> None:
        self.read: dict[bytes, Read] = {}
        self.arrived: dict[int, Arrival] = {}
        self.spreads: set[float] = set()
        self.refused = 0
        self.awaited: set[Member] = set()
        self.goal: int | None = None
        """Number of the column that is awaited; None where an answer is."""
        self.come = asyncio.Event()

    async def back(self, members: Iterable[Member]) -> None:
        """Until each has been answered once more."""
        await self._all(set(members), None)

    async def at(self, members: Iterable[Member], n: int) -> None:
        """Until each has column n."""
        await self._all({member for member in members if member.n < n}, n)

    async def _all(self, awaited: set[Member], goal: int | None) -> None:
        self.awaited, self.goal = awaited, goal
        self.come.clear()
        if awaited:
            await self.come.wait()

    def note(self, member: Member, *, answered: bool) -> None:
        """A member has got further."""
        if answered if self.goal is None else member.n >= self.goal:
            self.awaited.discard(member)
            if not self.awaited:
                self.come.set()

    def ticked(self, message: Read) -> None:
        now = time.time()
        seen = self.arrived.setdefault(message.n, Arrival(message.time, now, now))
        seen.last = now

    def message(self, first: int, payload: bytes) -> Read:
        known = self.read.get(payload)
        if known is None:
            if len(self.read) >= KEPT:
                self.read.clear()
            known = self.read[payload] = read(json.loads(inflated(payload) if first & 0x40 else payload))
        return known


def hole(members: Iterable[Member]) -> float:
    """Seconds of columns that nobody has, between the connections before and the present ones."""
    held = tuple(members)
    missing = min(member.first for member in held) - max(member.before for member in held) - 1
    return max(0, missing) * held[0].step / 1000


def inflated(payload: bytes) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload + b"\0\0\xff\xff")


def read(message: dict[str, Any]) -> Read:
    kind = message["type"]
    if kind == "tick":
        n = message["n"]
        return Read(kind, n, n, message["feed"], message["t"] / 1000)
    if kind in ("subscribed", "columns"):
        n, times = message["n"], message["columns"]["t"]
        time = times[-1] / 1000 if times else 0.0
        return Read(kind, n, n + 1 - len(times), message["feed"], time)
    if kind == "notice" and message["code"] == "restarting":
        return Read(kind, retry_in=message["details"]["retry_in"] / 1000)
    return Read(kind, step=message.get("step", 0))


class Member(asyncio.Protocol):
    """Comes, subscribes, follows, acknowledges, and comes back where it was."""

    def __init__(self, tally: Tally, host: str, port: int, seed: int) -> None:
        self.tally = tally
        self.host, self.port = host, port
        self.random = Random(seed)
        self.faults: list[str] = []
        self.n = 0
        self.first = 0
        """Number of the first column of this connection's service."""
        self.before = 0
        """Number of the newest column before this connection."""
        self.step = 1000
        self._request = self.random.randrange(ASKED)
        self._owed = self._request
        """Messages not acknowledged, begun anywhere, so that not all acknowledge at once."""
        self._backoff = Backoff(FIRST, CEILING, self.random)
        self._buffer = b""
        self._upgraded = False
        self.connection: asyncio.Transport
        self._lost = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._lost.clear()
            self._buffer, self._upgraded = b"", False
            try:
                async with asyncio.timeout(PATIENCE):
                    await loop.create_connection(lambda: self, self.host, self.port)
                await self._lost.wait()
            except OSError:
                self.tally.refused += 1
            await asyncio.sleep(self._backoff.wait())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.connection = transport
        transport.write(
            f"GET /live HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode()
        )

    def connection_lost(self, _: Exception | None) -> None:
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head:
                self.tally.refused += 1
                self.connection.abort()
                return
            self._upgraded, self._buffer = True, rest
        while frame := self._frame():
            self._take(*frame)

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame in the buffer."""
        held = self._buffer
        if len(held) < 2 or (held[1] > 125 and len(held) < 10):
            return None
        size, head = held[1], 2
        if size == 126:
            size, head = int.from_bytes(held[2:4]), 4
        elif size == 127:
            size, head = int.from_bytes(held[2:10]), 10
        if len(held) < head + size:
            return None
        self._buffer = held[head + size :]
        return held[0], held[head : head + size]

    def _take(self, first: int, payload: bytes) -> None:
        opcode = first & 0x0F
        if opcode == PING:
            self._send(PING + 1, payload)
        elif opcode == CLOSE:
            self._send(CLOSE, payload[:2])
        else:
            self._heed(self.tally.message(first, payload))

    def _heed(self, message: Read) -> None:
        if message.type == "welcome":
            self._request += 1
            self.step = message.step
            past = {"range": RANGE, "after": self.n * message.step if self.n else None}
            self._say(type="subscribe", request=self._request, board=BOARD, **past)
        elif message.type == "subscribed":
            self.before, self.n, self._backoff.tries = self.n, message.n, 0
            self.first = message.first
            self.tally.note(self, answered=True)
        elif message.type in ("tick", "columns"):
            self._follow(message)
        elif message.retry_in is not None:
            self._backoff.told = message.retry_in
            self.tally.spreads.add(message.retry_in)

    def _follow(self, message: Read) -> None:
        if message.first != self.n + 1 and not (message.type == "columns" and self.first > self.n):
            self.faults.append(f"column {message.first} came after {self.n}")
        elif message.first != self.n + 1:
            self.first = message.first
        self.n = message.n
        self.tally.ticked(message)
        self._owed += 1
        if self._owed % ACK_TICKS == 0:
            self._say(type="ack", feed=message.feed, n=message.n, lag=1)
        self.tally.note(self, answered=False)

    def _say(self, **message: Any) -> None:
        self._send(1, json.dumps(message).encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0xFE, size)
        self.connection.write(bytes([0x80 | opcode]) + length + bytes(4) + payload)
