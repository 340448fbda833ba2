"""What a server must answer to what a client sends, clause by clause (RFC 6455, RFC 7692).

The server echoes messages and takes no more than LIMIT bytes in one.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.conformance.echo import LIMIT
from tests.conformance.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    RSV2,
    RSV3,
    TEXT,
    Event,
    bare,
    closing,
    deflated,
    frame,
    header,
    text,
)

END = closing(1000)
ENDED: Event = ("close", 1000)
HELLO = text("Hello")


class Case(NamedTuple):
    """`deflate`: whether permessage-deflate is negotiated; None where both are tried.

    `ends`: the client closes when it has met what comes before the last event.  `beyond`: a good server does
    so, though no clause demands it, or not this code, or not as early.
    """

    clause: str
    title: str
    sent: bytes
    expected: list[Event]
    deflate: bool | None = None
    ends: bool = False
    beyond: bool = False

    def __str__(self) -> str:
        return f"{self.clause} {self.title}"


def well(clause: str, title: str, sent: bytes, *events: Event, deflate: bool | None = None) -> Case:
    """All is answered, and the connection lives until the client ends it."""
    return Case(clause, title, sent, [*events, ENDED], deflate, ends=True)


def fails(
    code: int,
    clause: str,
    title: str,
    sent: bytes,
    *before: Event,
    deflate: bool | None = None,
    beyond: bool = False,
) -> Case:
    """The server ends the connection with this code, unasked, however little was sent."""
    return Case(clause, title, sent, [*before, ("close", code)], deflate, beyond=beyond)


def masking() -> Iterator[Case]:
    for title, sent in {
        "text": bare(FIN | TEXT, b"Hello"),
        "an empty text, the header alone": bare(FIN | TEXT),
        "binary": bare(FIN | BINARY, b"Hello"),
        "a ping": bare(FIN | PING, b"Hello"),
        "a close": bare(FIN | CLOSE, b"\x03\xe8"),
        "the second of two fragments": frame(TEXT, b"Hel") + bare(FIN | CONTINUATION, b"lo"),
    }.items():
        yield fails(1002, "5.1", f"not masked: {title}", sent)
    yield fails(1002, "5.1", "not masked, after a good one", HELLO + bare(FIN | TEXT), ("text", "Hello"))
    for title, key in {"of zeros": bytes(4), "of ones": b"\xff" * 4}.items():
        sent = frame(FIN | TEXT, b"Hello", key=key)
        yield well("5.3", f"a masking key {title}", sent, ("text", "Hello"))
    sent = frame(FIN | TEXT, b"Hello", key=b"abcd") + frame(FIN | TEXT, b"world", key=b"wxyz")
    yield well("5.3", "a new key for each frame", sent, ("text", "Hello"), ("text", "world"))


def reserved() -> Iterator[Case]:
    for name, bits in {"RSV2": RSV2, "RSV3": RSV3, "RSV1, 2 and 3": RSV1 | RSV2 | RSV3}.items():
        yield fails(1002, "5.2", f"{name} set on text", frame(FIN | bits | TEXT, b"Hello"))
        yield fails(1002, "5.2", f"{name} set on a ping", frame(FIN | bits | PING))
    yield fails(1002, "5.2", "RSV1 not negotiated", frame(FIN | RSV1 | TEXT, b"Hello"), deflate=False)
    yield fails(1002, "5.2", "RSV2 set on a close", frame(FIN | RSV2 | CLOSE, b"\x03\xe8"))
    yield fails(1002, "5.2", "RSV2 on a continuation", frame(TEXT) + frame(FIN | RSV2 | CONTINUATION))
    for opcode in (*range(3, 8), *range(11, 16)):
        yield fails(1002, "5.2", f"reserved opcode {opcode:#x}", frame(FIN | opcode, b"Hello"))
    yield fails(1002, "5.2", "a reserved opcode within a message", frame(TEXT, b"a") + frame(FIN | 0x3))


def lengths() -> Iterator[Case]:
    for size in (0, 1, 3, 125, 126, 127, 128, 65535, 65536):
        body = bytes(number % 251 for number in range(size))
        yield well("5.2", f"{size} bytes", frame(FIN | BINARY, body), ("binary", body))
    for size, extended in ((0, 2), (5, 2), (125, 2), (5, 8), (126, 8), (65535, 8)):
        sent = frame(FIN | TEXT, b"*" * size, extended)
        yield fails(1002, "5.2", f"{size} bytes in a length of {extended} bytes", sent)
    yield fails(
        1002, "5.2", "the first bit of a long length", header(FIN | TEXT, 1 << 63, 8) + bytes(4), beyond=True
    )
    yield fails(1002, "5.2", "a ping of 5 bytes in a length of 2", frame(FIN | PING, b"Hello", 2))


def fragments() -> Iterator[Case]:
    first, middle, last = frame(TEXT, b"He"), frame(CONTINUATION, b"ll"), frame(FIN | CONTINUATION, b"o")
    hello: Event = ("text", "Hello")
    empty = frame(CONTINUATION)
    yield well("5.4", "three fragments", first + middle + last, hello)
    yield well("5.4", "an empty first", frame(TEXT) + frame(FIN | CONTINUATION, b"Hello"), hello)
    yield well("5.4", "an empty last", frame(TEXT, b"Hello") + frame(FIN | CONTINUATION), hello)
    yield well("5.4", "all empty", frame(TEXT) + empty + frame(FIN | CONTINUATION), ("text", ""))
    yield well("5.4", "empty ones within", first + empty * 9 + middle + empty + last, hello)
    sent = frame(BINARY, b"\xff") + frame(CONTINUATION, b"\xff") * 99 + frame(FIN | CONTINUATION, b"\xff")
    yield well("5.4", "a hundred of one byte", sent, ("binary", b"\xff" * 101))
    yield well("5.4", "two messages in turn", (first + middle + last) * 2, hello, hello)
    ping, pong = frame(FIN | PING, b"?"), frame(FIN | PONG, b"!")
    answer: Event = ("pong", b"?")
    yield well("5.4", "a ping between fragments", first + ping + middle + last, answer, hello)
    yield well("5.4", "a pong between fragments", first + pong + middle + pong + last, hello)
    yield Case("5.4", "a close between fragments", first + END + last, [ENDED])
    yield fails(1002, "5.4", "nothing to continue", frame(CONTINUATION, b"lo"))
    yield fails(1002, "5.4", "nothing to continue, at its end", last)
    yield fails(1002, "5.4", "continued after its end", first + last + last, ("text", "Heo"))
    yield fails(1002, "5.4", "a whole text within a message", first + HELLO)
    yield fails(1002, "5.4", "another fragmented text within a message", first + first)
    yield fails(1002, "5.4", "binary within a text", first + frame(FIN | BINARY))


def controls() -> Iterator[Case]:
    for name, opcode in {"ping": PING, "pong": PONG, "close": CLOSE}.items():
        yield fails(1002, "5.5", f"a {name} in fragments", frame(opcode) + frame(FIN | CONTINUATION))
        sent = frame(FIN | opcode, b"\x03\xe8" * 63)
        yield fails(1002, "5.5", f"a {name} of 126 bytes", sent)
        yield fails(
            1002, "5.5", f"a {name} whose header says 126 bytes", header(FIN | opcode, 126), beyond=True
        )
        yield fails(
            1002, "5.5", f"a {name} that claims 65536 bytes", header(FIN | opcode, 65536), beyond=True
        )
    for title, body in {"empty": b"", "bytes": b"\x00\xff\xfe", "125 bytes": b"*" * 125}.items():
        yield well("5.5.2", f"a ping, {title}", frame(FIN | PING, body), ("pong", body))
    yield well("5.5.2", "a ping before a text", frame(FIN | PING) + HELLO, ("pong", b""), ("text", "Hello"))
    yield well("5.5.3", "a pong nobody asked for", frame(FIN | PONG, b"Hello") + HELLO, ("text", "Hello"))


def closes() -> Iterator[Case]:
    yield Case("5.5.1", "a close without a code", frame(FIN | CLOSE), [("close", None)])
    yield Case("5.5.1", "a reason", closing(1000, b"bye"), [ENDED])
    yield Case("5.5.1", "a reason of 123 bytes", closing(1000, b"*" * 123), [ENDED])
    yield Case("5.5.1", "a reason in UTF-8", closing(1000, "κόσμε".encode()), [ENDED])
    yield Case("5.5.1", "text after a close", END + HELLO, [ENDED])
    yield Case("5.5.1", "a ping after a close", END + frame(FIN | PING), [ENDED])
    yield Case("5.5.1", "another close after a close", END + closing(1001), [ENDED])
    yield Case("1.4", "nonsense after a close", END + b"\xff" * 5000, [ENDED])
    yield fails(1002, "5.5.1", "a close of one byte", frame(FIN | CLOSE, b"\x03"))
    yield fails(1007, "5.5.1", "a reason not in UTF-8", closing(1000, b"\xce\xba\xff"))
    yield fails(1007, "5.5.1", "a reason cut in a character", closing(1000, b"\xce"))
    for code in (*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999):
        yield Case("7.4.1", f"code {code}", closing(code), [("close", code)])
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield fails(1002, "7.4.2", f"code {code}", closing(code))


VALID = {
    "Greek": "κόσμε",
    "four bytes": "😀",
    "the last code point": "\U0010ffff",
    "a noncharacter": "\uffff",
    "a zero byte": "a\x00b",
    "a byte order mark": "\ufeffa",
}
INVALID = {
    "a stray continuation": b"\x80",
    "two bytes for NUL": b"\xc0\x80",
    "three bytes too long": b"\xe0\x80\xaf",
    "four bytes too long": b"\xf0\x8f\xbf\xbf",
    "a surrogate": b"\xed\xa0\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "a byte that never is": b"\xff",
}


def characters() -> Iterator[Case]:
    for title, word in VALID.items():
        yield well("8.1", f"UTF-8, {title}", text(word), ("text", word))
        coded = word.encode()
        bits = [coded[at : at + 1] for at in range(len(coded))]
        sent = frame(TEXT) + b"".join(frame(CONTINUATION, bit) for bit in bits) + frame(FIN | CONTINUATION)
        yield well("8.1", f"UTF-8, {title}, in fragments of one byte", sent, ("text", word))
    for title, wrong in INVALID.items():
        yield fails(1007, "8.1", f"not UTF-8, {title}", frame(FIN | TEXT, b"ok" + wrong + b"ok"))
        begun = frame(FIN | TEXT, b"ok" + wrong, size=1000)
        yield fails(1007, "8.1", f"not UTF-8, {title}, in a frame not yet whole", begun, beyond=True)
        yield well("5.6", f"binary, {title}", frame(FIN | BINARY, wrong), ("binary", wrong))
    yield fails(1007, "8.1", "cut in a character", frame(FIN | TEXT, b"\xce\xba\xe1"))
    sent = frame(TEXT, b"\xce") + frame(FIN | CONTINUATION)
    yield fails(1007, "8.1", "cut in a character, in fragments", sent)
    yield fails(1007, "8.1", "wrong in the first of fragments to come", frame(TEXT, b"\xff"), beyond=True)
    sent = frame(TEXT, b"\xff") + frame(FIN | CONTINUATION)
    yield fails(1007, "8.1", "wrong in the first of two fragments", sent)
    sent = frame(TEXT, b"\xf4") + frame(CONTINUATION, b"\x90")
    yield fails(1007, "8.1", "wrong over the border of two fragments", sent, beyond=True)


def sizes() -> Iterator[Case]:
    key = bytes(4)
    for size in (LIMIT + 1, 1 << 31, (1 << 63) - 1):
        yield fails(1009, "10.4", f"a frame that claims {size} bytes", header(FIN | TEXT, size) + key)
    whole = frame(BINARY, b"*" * LIMIT)
    yield fails(1009, "10.4", "fragments that claim more together", whole + header(FIN, 1) + key)
    most = whole + frame(FIN | CONTINUATION)
    yield well("10.4", "fragments of just the limit", most, ("binary", b"*" * LIMIT))
    yield fails(
        1009, "10.4", "empty fragments without end", frame(TEXT) + frame(CONTINUATION) * 5000, beyond=True
    )


def compressed() -> Iterator[Case]:
    """RFC 7692; the first are its examples, section 7.2.3."""
    hello: Event = ("text", "Hello")
    for clause, title, body in (
        ("7.2.3.1", "one block", "f248cdc9c90700"),
        ("7.2.3.3", "a block without compression", "000500faff48656c6c6f00"),
        ("7.2.3.4", "a block marked as the last", "f348cdc9c9070000"),
        ("7.2.3.5", "two blocks", "f248050000 00ffffcac9c90700"),
    ):
        sent = frame(FIN | RSV1 | TEXT, bytes.fromhex(body))
        yield well(f"7692 {clause}", title, sent, hello, deflate=True)
    sent = frame(RSV1 | TEXT, bytes.fromhex("f248cd")) + frame(FIN, bytes.fromhex("c9c90700"))
    yield well("7692 7.2.3.1", "one block in two fragments", sent, hello, deflate=True)
    yield well("7692 7.2.3.6", "empty", frame(FIN | RSV1 | TEXT, b"\x00"), ("text", ""), deflate=True)
    yield from mixed(hello)
    yield from interleaved(hello)
    yield from undone()


def mixed(hello: Event) -> Iterator[Case]:
    both = frame(FIN | RSV1 | TEXT, deflated(b"Hello")) + HELLO
    yield well("7692 6", "a compressed and a plain message", both, hello, hello, deflate=True)
    twice = frame(FIN | RSV1 | TEXT, deflated(b"Hello")) * 2
    yield well("7692 7.1.1.2", "each with its own window", twice, hello, hello, deflate=True)
    body = bytes(range(256)) * 200
    for level in (0, 1, 9):
        sent = frame(FIN | RSV1 | BINARY, deflated(body, level))
        yield well("7692 7.2.1", f"51,200 bytes at level {level}", sent, ("binary", body), deflate=True)
    parts = bytes.fromhex("f348cdc9c90700") + deflated(b" again")
    sent = frame(FIN | RSV1 | TEXT, parts)
    yield well("7692 7.2.1", "blocks after a last block", sent, ("text", "Hello again"), deflate=True)


def interleaved(hello: Event) -> Iterator[Case]:
    body = deflated(b"Hello")
    first, last = frame(RSV1 | TEXT, body[:3]), frame(FIN | CONTINUATION, body[3:])
    ping = frame(FIN | PING, b"?")
    answer: Event = ("pong", b"?")
    yield well("7692 6.1", "a ping between fragments", first + ping + last, answer, hello, deflate=True)
    sent = first + frame(FIN | PONG, b"?") + last
    yield well("7692 6.1", "a pong between fragments", sent, hello, deflate=True)
    yield Case("7692 6.1", "a close between fragments", first + END, [ENDED], True)
    singles = b"".join(frame(CONTINUATION, body[at : at + 1]) + ping for at in range(len(body)))
    sent = frame(RSV1 | TEXT) + singles + frame(FIN | CONTINUATION)
    events = [answer] * len(body)
    yield well("7692 6.1", "fragments of one byte, pings between", sent, *events, hello, deflate=True)
    sent = first + frame(FIN | RSV1 | CONTINUATION, body[3:])
    yield fails(1002, "7692 6.1", "RSV1 on a continuation", sent, deflate=True)
    for name, opcode in {"ping": PING, "pong": PONG, "close": CLOSE}.items():
        sent = frame(FIN | RSV1 | opcode, deflated(b""))
        yield fails(1002, "7692 6.1", f"RSV1 on a {name}", sent, deflate=True)


def undone() -> Iterator[Case]:
    def flawed(code: int, title: str, body: bytes, clause: str = "7692 7.2.2") -> Case:
        return fails(
            code, clause, title, frame(FIN | RSV1 | TEXT, body), deflate=True, beyond=clause == "7692 7.2.2"
        )

    yield flawed(1007, "not deflated data", b"\xff" * 8)
    yield flawed(1007, "a reserved kind of block", b"\x06\x00")
    yield flawed(1007, "cut off within a block", deflated(b"Hello, world. " * 9)[:-5])
    yield flawed(1007, "no block at all", b"")
    yield flawed(1007, "the window of the message before", bytes.fromhex("f200110000"))
    yield flawed(1007, "text not UTF-8", deflated(b"ok\xff"), "8.1")
    yield flawed(1007, "text cut in a character", deflated(b"\xe1\xbd"), "8.1")
    bomb = deflated(bytes(LIMIT * 1000), 9)
    yield flawed(1009, "65 MB in 64 kB", bomb[:LIMIT], "10.4")
    yield flawed(1009, "one byte too many", deflated(b"*" * (LIMIT + 1)), "10.4")
    sent = frame(RSV1 | TEXT, bomb[:200])
    yield fails(1009, "10.4", "too big in the first of fragments to come", sent, deflate=True)
    begun = frame(FIN | RSV1 | TEXT, deflated(b"\xff" * 2000, 0)[:100], size=1000)
    yield fails(1007, "8.1", "not UTF-8 in a frame not yet whole", begun, deflate=True, beyond=True)


CASES = [
    *masking(),
    *reserved(),
    *lengths(),
    *fragments(),
    *controls(),
    *closes(),
    *characters(),
    *sizes(),
    *compressed(),
]
