"""What one client sends, from bytes to messages, without a socket (RFC 6455 sections 5 to 8, RFC 7692).

`Inbound.receive` takes bytes cut anywhere.  A broken rule raises Violation at the first byte that shows it:
a header before its payload is awaited, text at the first byte that cannot be UTF-8, a compressed message as
soon as it has grown too big.
"""

from __future__ import annotations

import zlib
from codecs import utf_8_decode
from collections.abc import Iterator
from typing import Any

from tornado.util import _websocket_mask as unmask

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RSV1, OPCODE, CONTROL = 0x80, 0x40, 0x0F, 0x08
MASKED, LENGTH = 0x80, 0x7F

CONTROLS = frozenset(FIN | opcode for opcode in (CLOSE, PING, PONG))
"""First bytes of control frames, which are never fragmented (5.5) nor compressed (RFC 7692 section 6.1)."""
PLAIN = CONTROLS | {fin | opcode for fin in (0, FIN) for opcode in (CONTINUATION, TEXT, BINARY)}
"""Every first byte that is legal without an extension: the others have reserved bits or opcodes (5.2)."""
DEFLATED = PLAIN | {fin | RSV1 | opcode for fin in (0, FIN) for opcode in (TEXT, BINARY)}
"""With permessage-deflate: RSV1 stands on the first frame of a message only (RFC 7692 section 6.1)."""

LONGEST_CONTROL = 125
FRAGMENTS = 1024
"""Frames that any message may have; one more for each 64 bytes of the limit."""
EXTENDED = {126: (2, 126), 127: (8, 1 << 16)}
"""Bytes of an extended length and the least it may say: a length is written in its shortest form (5.2)."""

PROTOCOL_ERROR, BAD_DATA, TOO_BIG = 1002, 1007, 1009
REGISTERED = frozenset(range(1000, 1015)) - {1004, 1005, 1006}
"""Closing codes below 3000 that may stand in a frame (7.4.1, and the registry of 11.7)."""

BLOCK_END = b"\x00\x00\xff\xff"
"""What the sender cut off (RFC 7692 section 7.2.1)."""
STREAM_END = b"\x01\x00\x00\xff\xff"
"""An empty last block: the inflater ends at it only if the message was cut off between two blocks."""

Received = tuple[int, Any]
"""An opcode, and a whole message (text as str) or the payload of a control frame."""


class Violation(Exception):  # noqa: N818 - it is the client's
    """The client broke the protocol: fail the connection with this code (RFC 6455 section 7.1.7)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Inbound:
    """The frames of one connection.  It is of no use after a Violation or a close frame."""

    __slots__ = ("_first", "_firsts", "_held", "_inside", "_limit", "_mask", "_message", "_missing")

    def __init__(self, limit: int, deflate: bool) -> None:
        """A message of more than `limit` bytes, as sent or inflated, is a Violation."""
        self._limit = limit
        self._firsts = DEFLATED if deflate else PLAIN
        self._held = b""
        self._message: Message | None = None
        self._first, self._mask, self._missing, self._inside = 0, b"", 0, False

    def receive(self, data: bytes) -> Iterator[Received]:
        """What these bytes make whole.  Ask for no more after a close frame: the rest is ignored (1.4)."""
        data, at = self._held + data, 0
        while True:
            if not self._inside:
                size = self._begin(data, at)
                if not size:
                    break
                at += size
            piece = data[at : at + self._missing]
            at += len(piece)
            self._missing -= len(piece)
            self._inside = self._missing > 0
            whole = self._payload(unmask(self._mask, piece))
            if whole is not None:
                yield whole
            if self._inside:
                turn = len(piece) % 4
                self._mask = self._mask[turn:] + self._mask[:turn]
                break
        self._held = data[at:]

    def _begin(self, data: bytes, at: int) -> int:
        """Checks the header at `at`; its size, or 0 while it, or the rest of a control frame, is missing."""
        here = len(data) - at
        if here < 2:
            return 0
        first, length = data[at], data[at + 1] & LENGTH
        self._check(first, data[at + 1])
        extended, least = EXTENDED.get(length, (0, 0))
        size = 2 + extended + 4
        if here < size:
            return 0
        if extended:
            length = int.from_bytes(data[at + 2 : at + 2 + extended])
            if length < least or length >> 63:
                raise Violation(PROTOCOL_ERROR, "length not in its shortest form")
        if first & CONTROL:
            if here < size + length:
                return 0
        else:
            self._announce(first, length)
        self._first, self._missing, self._mask = first, length, data[at + size - 4 : at + size]
        return size

    def _check(self, first: int, second: int) -> None:
        if first not in self._firsts:
            raise Violation(PROTOCOL_ERROR, "reserved bits or opcode, or a divided control frame")
        if second < MASKED:  # 5.1: a server must close the connection.
            raise Violation(PROTOCOL_ERROR, "frame not masked")
        if first & CONTROL:
            if second & LENGTH > LONGEST_CONTROL:  # 5.5
                raise Violation(PROTOCOL_ERROR, "control frame too long")
        elif (first & OPCODE == CONTINUATION) is (self._message is None):  # 5.4
            raise Violation(
                PROTOCOL_ERROR, "nothing to continue" if self._message is None else "unfinished message"
            )

    def _announce(self, first: int, length: int) -> None:
        if self._message is None:
            self._message = Message(first & OPCODE, self._limit, bool(first & RSV1))
        self._message.announce(length)

    def _payload(self, payload: bytes) -> Received | None:
        opcode = self._first & OPCODE
        if opcode & CONTROL:
            return opcode, checked(payload) if opcode == CLOSE else payload
        assert self._message is not None
        last = self._first >= FIN and not self._inside
        whole = self._message.add(payload, last)
        if not last:
            return None
        opcode, self._message = self._message.opcode, None
        return opcode, whole


class Message:
    """A message in the making: what is kept of it, and how far it is known to be good."""

    __slots__ = ("_body", "_fragments", "_good", "_inflater", "_limit", "_sent", "opcode")

    def __init__(self, opcode: int, limit: int, deflated: bool) -> None:
        self.opcode = opcode
        self._limit = limit
        self._sent = self._fragments = 0
        self._body = bytearray()
        self._good = 0
        self._inflater = Inflater() if deflated else None

    def announce(self, length: int) -> None:
        """One more frame belongs to the message; judged before its payload is read (10.4)."""
        self._sent += length
        self._fragments += 1
        if self._sent > self._limit or self._fragments > FRAGMENTS + self._limit // 64:
            raise Violation(TOO_BIG, "message too big")

    def add(self, payload: bytes, last: bool) -> str | bytes:
        """The whole message after its last piece; before, nothing of use."""
        try:
            if self._inflater is not None:
                payload = self._inflater.inflate(payload, last, self._limit - len(self._body))
            if last and not self._body:
                return payload if self.opcode == BINARY else str(payload, "utf-8")
            self._body += payload
            if self.opcode == BINARY:
                return bytes(self._body) if last else b""
            # 8.1, as early as it can be known: a character may be cut at the end, and only there.
            self._good += utf_8_decode(self._body[self._good :], "strict", last)[1]
            return self._body.decode() if last else b""
        except zlib.error as error:
            raise Violation(BAD_DATA, "not deflated data") from error
        except UnicodeDecodeError as error:
            raise Violation(BAD_DATA, "text not UTF-8") from error


class Inflater:
    """Undoes permessage-deflate for one message, which brings its own window (RFC 7692 section 7.2.2)."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    def inflate(self, data: bytes, last: bool, room: int) -> bytes:
        """What the data hold; a Violation if that is more than `room` bytes, of which no more is unpacked."""
        if last:
            data += BLOCK_END + STREAM_END
        inflated = b""
        while data:
            inflated += self._stream.decompress(data, room + 1 - len(inflated))
            if len(inflated) > room:
                raise Violation(TOO_BIG, "message too big when inflated")
            # A block marked as the last may stand anywhere, and another stream follow (7.2.3.4).
            data = self._stream.unused_data if self._stream.eof else b""
            if data:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        if last and not self._stream.eof:
            raise Violation(BAD_DATA, "compressed data cut off")
        return inflated


def checked(payload: bytes) -> bytes:
    """A close frame's payload, which is nothing, or a code and a reason in UTF-8 (5.5.1)."""
    code = int.from_bytes(payload[:2])
    if payload and code not in REGISTERED and not 3000 <= code <= 4999:  # 7.4.2
        raise Violation(PROTOCOL_ERROR, "not a closing code")
    try:
        payload[2:].decode()
    except UnicodeDecodeError as error:
        raise Violation(BAD_DATA, "closing reason not UTF-8") from error
    return payload
