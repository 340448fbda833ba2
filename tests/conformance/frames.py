"""Frames as a client may send them, rightly or wrongly, and as it reads them (RFC 6455 section 5.2)."""

import asyncio
import math
import struct
import zlib

FIN, RSV1, RSV2, RSV3, MASKED = 0x80, 0x40, 0x20, 0x10, 0x80
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = b"\x37\xfa\x21\x3d"
"""The masking key of the examples in section 5.7."""

Event = tuple[str, object]
"""("text", str), ("binary", bytes), ("pong", bytes), ("close", code or None) or ("gone", why)."""


def masked(payload: bytes, key: bytes = KEY) -> bytes:
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(len(payload))


def header(first: int, size: int, extended: int | None = None, mask: int = MASKED) -> bytes:
    """A header without its key; `extended` forces a length of 0, 2 or 8 bytes."""
    if extended is None:
        extended = 0 if size < 126 else 2 if size < 1 << 16 else 8
    if extended == 0:
        return struct.pack("!BB", first, mask | size)
    return struct.pack(
        "!BBH" if extended == 2 else "!BBQ", first, mask | (126 if extended == 2 else 127), size
    )


def frame(
    first: int, payload: bytes = b"", extended: int | None = None, key: bytes = KEY, size: int | None = None
) -> bytes:
    """A masked frame; `size` is the length it claims, where that is not the payload's."""
    claimed = len(payload) if size is None else size
    return header(first, claimed, extended) + key + masked(payload, key)


def bare(first: int, payload: bytes = b"") -> bytes:
    """A frame without a mask, as only servers may send it."""
    return header(first, len(payload), mask=0) + payload


def text(message: str) -> bytes:
    return frame(FIN | TEXT, message.encode())


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(FIN | CLOSE, struct.pack("!H", code) + reason)


def deflated(payload: bytes, level: int = 6) -> bytes:
    """A message as permessage-deflate sends it (RFC 7692 section 7.2.1)."""
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Reading:
    """What comes from a server, whose frames must be whole, unmasked and unfragmented here."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader
        self.inflater = zlib.decompressobj(-15)

    async def events(self, most: float = math.inf) -> list[Event]:
        """What comes, up to a close frame or to the end, which should be orderly and after one."""
        events: list[Event] = []
        try:
            while len(events) < most:
                events.append(await self.event())
        except asyncio.IncompleteReadError:
            if not events or events[-1][0] != "close":
                events.append(("gone", "without a close frame"))
        except ConnectionError:
            events.append(("gone", "reset"))
        return events

    async def event(self) -> Event:
        first, size = await self.reader.readexactly(2)
        assert not size & MASKED, "a server does not mask"
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
        payload = await self.reader.readexactly(size)
        if first & RSV1:
            payload = self.inflater.decompress(payload + b"\x00\x00\xff\xff")
        return self.named(first & ~RSV1, payload)

    def named(self, first: int, payload: bytes) -> Event:
        assert first & FIN, "an echo is not fragmented"
        match first & ~FIN:
            case 0x1:
                return "text", payload.decode()
            case 0x2:
                return "binary", payload
            case 0x8:
                return "close", struct.unpack("!H", payload[:2])[0] if payload else None
            case 0xA:
                return "pong", payload
        raise AssertionError(f"a frame of type {first:#x}")
