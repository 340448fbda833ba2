"""The D-Bus wire protocol, as much of it as asking for values takes.

D-Bus Specification 0.43: a message is a head of fixed size, header fields and a body, little-endian here;
each value is aligned to its size from the start of the message, structs and dict entries to 8.  All is done
on the event loop, under the time limit of whoever asks: a bus may accept and never answer.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

MOST = 16 << 20
"""Bytes of one message."""
BATCH = 64
"""Calls under way at once."""
DEPTH = 32
"""Containers within each other, as in the specification."""
CALL, RETURN, ERROR = 1, 2, 3
NUMBERS = {"y": "B", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "b": "I", "h": "I"}
"""Types of fixed size, as struct(3) has them."""
ALIGNED = {"s": 4, "o": 4, "g": 1, "v": 1, "a": 4, "(": 8, "{": 8} | {
    code: struct.calcsize(each) for code, each in NUMBERS.items()
}
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, _, SIGNATURE = range(1, 9)
"""Header fields."""
HEAD = struct.Struct("<cBBBIII")
"""Endianness, type, flags, version, length of the body, serial, length of the header fields."""


class BusError(OSError):
    """The other side answered with an error; its name comes first."""


class Call(NamedTuple):
    """A method and its arguments, all of them texts."""

    destination: str
    path: str
    interface: str
    member: str
    arguments: Sequence[str] = ()


HELLO = Call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")


def encoded(call: Call, serial: int) -> bytes:
    """A method call as bytes."""
    body = bytearray()
    for argument in call.arguments:
        text(body, argument)
    names = {PATH: call.path, INTERFACE: call.interface, MEMBER: call.member, DESTINATION: call.destination}
    fields = bytearray()
    for code, name in names.items():
        pad(fields, 8)
        fields += bytes([code]) + b"\x01" + (b"o" if code == PATH else b"s") + b"\0"
        text(fields, name)
    if call.arguments:
        pad(fields, 8)
        signature = b"s" * len(call.arguments)
        fields += bytes([SIGNATURE]) + b"\x01g\0" + bytes([len(signature)]) + signature + b"\0"
    head = bytearray(HEAD.pack(b"l", CALL, 0, 1, len(body), serial, len(fields)) + fields)
    pad(head, 8)
    return bytes(head + body)


def pad(data: bytearray, size: int) -> None:
    data += bytes(-len(data) % size)


def text(data: bytearray, value: str) -> None:
    pad(data, 4)
    raw = value.encode()
    data += struct.pack("<I", len(raw)) + raw + b"\0"


class Reader:
    """Values out of a message, from a place on.  Raises ValueError for bytes that are none."""

    def __init__(self, data: bytes, place: int = 0, order: str = "<") -> None:
        self._data = data
        self._place = place
        self._order = order

    def values(self, signature: str) -> list[Any]:
        """The values of a signature, one after the other."""
        return [self._value(each, 0) for each in split(signature)]

    def _value(self, kind: str, depth: int) -> Any:
        if depth > DEPTH:
            raise ValueError(f"D-Bus: at most {DEPTH} containers within each other expected")
        code = kind[0]
        if code != "v" and code != "g":
            self._place += -self._place % ALIGNED[code]
        if code in NUMBERS:
            return self._number(NUMBERS[code])
        if code in "so":
            return self._bytes(self._number("I"), 1).decode(errors="replace")
        if code == "g":
            return self._bytes(self._number("B"), 1).decode()
        if code == "v":
            return self._value(only(self._bytes(self._number("B"), 1).decode()), depth + 1)
        if code == "a":
            return list(self._array(kind[1:], depth + 1))
        return [self._value(each, depth + 1) for each in split(kind[1:-1])]

    def _number(self, code: str) -> Any:
        size = struct.calcsize(code)
        return struct.unpack(self._order + code, self._bytes(size))[0]

    def _array(self, kind: str, depth: int) -> Iterator[Any]:
        size = self._number("I")
        self._place += -self._place % ALIGNED[kind[0]]
        end = self._place + size
        if end > len(self._data):
            raise ValueError("D-Bus: an array that ends within the message expected")
        while self._place < end:
            yield self._value(kind, depth)

    def _bytes(self, size: int, after: int = 0) -> bytes:
        """So many bytes, and some behind them that are left out."""
        end = self._place + size
        if end + after > len(self._data):
            raise ValueError(f"D-Bus: {size} bytes more expected, the message ends before")
        found = self._data[self._place : end]
        self._place = end + after
        return found


def only(signature: str) -> str:
    """A signature of one value."""
    found = split(signature)
    if len(found) != 1:
        raise ValueError(f"D-Bus: a variant of one value expected, found {signature!r}")
    return found[0]


def split(signature: str) -> list[str]:
    """The single complete types of a signature."""
    found = []
    place = 0
    while place < len(signature):
        end = complete(signature, place)
        found.append(signature[place:end])
        place = end
    return found


def complete(signature: str, place: int) -> int:
    """Where the single complete type that begins at a place ends."""
    while signature[place : place + 1] == "a":
        place += 1
    code = signature[place : place + 1]
    if code in ("(", "{"):
        closing = ")" if code == "(" else "}"
        place += 1
        while signature[place : place + 1] not in (closing, ""):
            place = complete(signature, place)
    empty = signature[place - 1 : place + 1] in ("()", "{}")
    if not code or code not in ALIGNED or empty or place >= len(signature):
        raise ValueError(f"D-Bus: a signature expected, found {signature[:40]!r}")
    return place + 1


class Bus:
    """A connection that is open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._serial = 0

    async def ask(self, calls: Sequence[Call]) -> list[list[Any] | BusError]:
        """The answers to all calls, in their order; an error stands for itself.

        Raises OSError when the bus ends the connection and ValueError for bytes that are no message.
        """
        batches = [calls[start : start + BATCH] for start in range(0, len(calls), BATCH)]
        return [answer for batch in batches for answer in await self._batch(batch)]

    async def _batch(self, calls: Sequence[Call]) -> list[list[Any] | BusError]:
        """Calls that are sent together: as few as fit into the buffers while nobody reads."""
        open_calls = {}
        for place, call in enumerate(calls):
            self._serial += 1
            open_calls[self._serial] = place
            self._writer.write(encoded(call, self._serial))
        await self._writer.drain()
        answers: list[list[Any] | BusError] = [[] for _ in calls]
        while open_calls:
            kind, serial, answer = await self._message()
            if kind in (RETURN, ERROR) and serial in open_calls:
                answers[open_calls.pop(serial)] = answer
        return answers

    async def call(self, call: Call) -> list[Any]:
        """The values that one call gives.  Raises BusError for an error."""
        (answer,) = await self.ask([call])
        if isinstance(answer, BusError):
            raise answer
        return answer

    async def _message(self) -> tuple[int, int, list[Any] | BusError]:
        """Type, the serial that it replies to, and the body of the next message."""
        try:
            head = await self._reader.readexactly(HEAD.size)
            order = {b"l": "<", b"B": ">"}.get(head[:1])
            if not order:
                raise ValueError(f"D-Bus: a message expected, found {head!r}")
            _, kind, _, _, body, _, fields = struct.unpack(order + "cBBBIII", head)
            ahead = fields + -fields % 8
            if body + ahead > MOST:
                raise ValueError(f"D-Bus: at most {MOST} bytes expected, a message has {body + ahead}")
            data = head + await self._reader.readexactly(ahead + body)
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("D-Bus: the other side closed the connection") from error
        told = dict(Reader(data, HEAD.size - 4, order).values("a(yv)")[0])
        values = Reader(data[HEAD.size + ahead :], 0, order).values(told.get(SIGNATURE, ""))
        if kind == ERROR:
            said = ": ".join([told.get(ERROR_NAME, "an error"), *map(str, values[:1])])
            return kind, told.get(REPLY_SERIAL, 0), BusError(said)
        return kind, told.get(REPLY_SERIAL, 0), values

    async def _enter(self) -> None:
        """Say who asks, as the bus checks by the socket itself, and that it may begin."""
        self._writer.write(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
        answer = await self._reader.readline()
        if not answer.startswith(b"OK "):
            raise PermissionError(f"D-Bus: OK expected to AUTH EXTERNAL, found {answer[:40]!r}")
        self._writer.write(b"BEGIN\r\n")
        await self.call(HELLO)


@asynccontextmanager
async def connected(path: str) -> AsyncIterator[Bus]:
    """A connection to the bus at a socket, closed in the end."""
    reader, writer = await asyncio.open_unix_connection(path)
    bus = Bus(reader, writer)
    try:
        await bus._enter()  # noqa: SLF001
        yield bus
    finally:
        writer.close()
