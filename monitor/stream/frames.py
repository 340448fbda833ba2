"""The WebSocket frame shared by all who are sent the same message (RFC 6455 section 5.2, RFC 7692).

Built once, unmasked, without a socket: plain for those who did not negotiate permessage-deflate, and
compressed with a fresh window for all who did (`server_no_context_takeover`, RFC 7692 section 7.1.1.1), so
that the same bytes are right for every client.
"""

from __future__ import annotations

import struct
import zlib

FIN, RSV1, TEXT = 0x80, 0x40, 0x1
WORTH_DEFLATING = 128
"""Bytes; a shorter message is sent plain to everybody, which permessage-deflate allows message by message."""
LEVEL = 6


class Frame:
    """One text message, ready for the wire in both forms; the compressed one is made when first asked for."""

    __slots__ = ("_plain", "deflated", "payload")

    def __init__(self, payload: bytes, deflated: bytes | None = None) -> None:
        """`deflated` is the compressed frame where another process has made it."""
        self.payload = payload
        self.deflated = deflated
        self._plain: bytes | None = None

    def __len__(self) -> int:
        """Size of the message in bytes, as the client counts it: uncompressed, without the frame's header."""
        return len(self.payload)

    def wire(self, deflate: bool) -> bytes:
        """The bytes for a client that negotiated permessage-deflate, or did not."""
        if deflate and len(self.payload) >= WORTH_DEFLATING:
            if self.deflated is None:
                self.deflated = encode(FIN | RSV1 | TEXT, compress(self.payload))
            return self.deflated
        if self._plain is None:
            self._plain = encode(FIN | TEXT, self.payload)
        return self._plain


class Tail:
    """The end of messages that differ in their first bytes only, as answers to a crowd: compressed once.

    A deflate stream may begin with a stored block (RFC 1951 section 3.2.4) and go on with any other, so each
    message is a few bytes of its own before those that all share.
    """

    __slots__ = ("_deflated", "payload")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self._deflated = compress(payload)

    def after(self, head: bytes) -> Frame:
        """The message that begins with `head`, of less than 64 KiB."""
        size = len(head)
        stored = struct.pack("<BHH", 0, size, size ^ 0xFFFF) + head
        return Frame(head + self.payload, encode(FIN | RSV1 | TEXT, stored + self._deflated))


def compress(payload: bytes) -> bytes:
    """A message deflated with a fresh window, its empty last block cut off (RFC 7692 section 7.2.1)."""
    deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]


def encode(first: int, payload: bytes) -> bytes:
    """Header and payload of an unmasked frame whose first byte is given; lengths in their shortest form."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", first, size) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload
