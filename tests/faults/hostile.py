"""Requests over HTTP that mean no good, drawn by a seed; each is what a bare socket sends.

Smuggling is of RFC 9112, sections 6.3 and 11.2; sizes and encodings are what servers have died of.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from random import Random

from tests.conformance.handshakes import EXTENDED, KEYS, UPGRADES, VERSIONS
from tests.server.test_arrivals import UNFINISHED

PATHS = (
    *("/", "/login", "/live", "/events", "/events/x", "/healthz", "/readyz", "/metrics", "/api/boards"),
    *(
        "/api/v1/events",
        "/api/session",
        "/api/viewers",
        "/api/viewers/x",
        "/api/v1/query",
        "/api/v1/query_range",
    ),
    *("/api/v1/labels", "/api/v1/series", "/api/v1/label/job/values", "/api/nothing", "/assets/nothing.js"),
)
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "G ET",
    "x" * 99,
)
HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
FRAMINGS = (
    *("Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"),
    *(
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: gzip, chunked",
    ),
    *("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding : chunked"),
    *("Transfer-Encoding:\tchunked", "Transfer-Encoding:\x0bchunked", "X: y\r\n Transfer-Encoding: chunked"),
    *(
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: 0x5",
    ),
    *("Content-Length: -5", "Content-Length: 5_0", "Content-Length: \u0665", "Content-Length: 9" + "9" * 40),
    *(
        "Content-Length : 5",
        "Content-Length: 5 ",
        "Content-Length:\r\n 5",
        "content-length: 5;",
        "Content-Length: 5",
    ),
)
CHUNKS = (
    *(
        b"0\r\n\r\n",
        b"-1\r\n\r\n",
        b"+1\r\na\r\n0\r\n\r\n",
        b"0x1\r\na\r\n0\r\n\r\n",
        b"1_0\r\n",
        b"f" * 20 + b"\r\n",
    ),
    *(
        b"1;x=y\r\na\r\n0\r\n\r\n",
        b"1\na\n0\n\n",
        b"1\r\nab\r\n0\r\n\r\n",
        b"1\r\na\r\n0\r\nX: y\r\n\r\n",
        b"g\r\n",
    ),
    *(b"5\r\nhello\r\n0\r\n\r\n", b"\r\n", b"1" * 70_000, b"100001\r\n"),
)
SPELLINGS = (
    *("%00", "%0d%0aX:%20y", "%ff%fe", "%c0%ae%c0%ae/", "..%2f..%2fetc%2fpasswd", "%252e%252e/", "%", "%zz"),
    *(
        "../" * 30 + "etc/passwd",
        "\\..\\..",
        "//evil.example/",
        ";/..;/",
        "%u0041",
        "\u202e",
        "a" * 3000,
        "?" * 900,
    ),
)
QUESTIONS = (
    *(
        "up",
        "",
        "{",
        "(" * 3000,
        "up[",
        "1" * 5000,
        'up{a=~"(a+)+$"}',
        "up or " * 400 + "up",
        "rate(up[99999y])",
    ),
    *(
        "topk(1e308, up)",
        "\x00",
        "%ff",
        "label_replace(up,'a','$1','b','(')",
        "-" * 2000 + "1",
        "up offset -1e9y",
    ),
)
HEADERS = (
    *(
        "X: a\x00b",
        "X: \xff\xfe",
        "X : y",
        ": y",
        "X",
        "X: " + "y" * 17_000,
        "Host: evil.example",
        "Host: ",
        "Host:",
    ),
    *("Range: bytes=" + "0-0," * 500, "Cookie: " + "a=b;" * 3000, "Cookie: \x7f=;;=", "Expect: 100-continue"),
    *("Accept-Encoding: " + "gzip;q=0.1," * 300, "Authorization: Bearer " + "x" * 9000, "Last-Event-ID: -1"),
    *("Authorization: Basic ====", "If-None-Match: " + '"x",' * 900, "X-Forwarded-For: " + "1.2.3.4," * 900),
    *(
        "If-Modified-Since: Mon, 99 Foo 99999 99:99:99 GMT",
        "Upgrade: h2c",
        "Content-Type: multipart/form-data",
    ),
    *("Content-Type: application/json; charset=\x00", "Origin: null"),
)
BODIES = (
    *(
        b"",
        b"{",
        b"[" * 20_000,
        b'{"name":' * 3000,
        b"\xff\xfe",
        b"null",
        b"1e999",
        b'{"name":"\\ud800"}',
        b'"\x00"',
    ),
    *(
        b"query=%ff%00",
        b"query=" + b"%" * 3000,
        b"&" * 5000,
        b"=&" * 3000,
        gzip.compress(bytes(1 << 20)),
        b"x" * 65_536,
    ),
)
HANDSHAKES = tuple(case.sent for case in (*UPGRADES, *KEYS, *VERSIONS, *EXTENDED))


def head(random: Random, *more: str, method: str | None = None, path: str | None = None) -> bytes:
    start = f"{method or random.choice(METHODS)} {path or random.choice(PATHS)} HTTP/1.1"
    lines = (start, "Host: localhost", *more)
    return "\r\n".join([*lines, "", ""]).encode("utf-8" if random.random() < 0.5 else "latin-1", "replace")


def smuggling(random: Random) -> bytes:
    """A body of which two readers might hold different opinions, with a request inside."""
    framing = random.choice(FRAMINGS)
    body = random.choice(CHUNKS) if random.random() < 0.7 else b"hello"
    return head(random, framing, method="POST") + body + HIDDEN * random.randrange(2)


def sizes(random: Random) -> bytes:
    kind = random.randrange(4)
    if kind == 0:
        return head(random, *(f"X-{number}: y" for number in range(random.choice((90, 500, 3000)))))
    if kind == 1:
        return head(random, path="/" + "a" * random.choice((900, 9000, 17_000, 70_000)))
    if kind == 2:
        return head(random, f"Content-Length: {1 << random.randrange(21, 70)}", method="POST")
    return head(random, path="/api/v1/query?" + "&".join(["query=up"] * random.choice((2, 100, 1500))))


def encodings(random: Random) -> bytes:
    path = random.choice(PATHS) + random.choice(("", "/", "?query=")) + random.choice(SPELLINGS)
    return head(random, random.choice(HEADERS), method=random.choice(("GET", "POST")), path=path)


def questions(random: Random) -> bytes:
    asked = random.choice(QUESTIONS).replace(" ", "%20")
    times = random.choice(
        ("", "&time=-1e300", "&start=0&end=1e12&step=1e-9", "&start=NaN&end=Inf&step=0", "&time=0x1")
    )
    return head(
        random, method="GET", path=f"/api/v1/query{random.choice(('', '_range'))}?query={asked}{times}"
    )


def bodies(random: Random) -> bytes:
    body = random.choice(BODIES)
    kind = random.choice(("application/json", "application/x-www-form-urlencoded", "text/plain", "x" * 99))
    length = f"Content-Length: {len(body)}"
    more = (
        random.choice(HEADERS),
        f"Content-Type: {kind}",
        *(["Content-Encoding: gzip"] * random.randrange(2)),
    )
    return head(random, length, *more, method="POST") + body


def handshakes(random: Random) -> bytes:
    """Good ones among them, whose sessions end at once."""
    sent = random.choice(HANDSHAKES)
    return sent.replace(b"/plain", b"/live").replace(b"/deflate", b"/live")


def noise(random: Random) -> bytes:
    """A request with some of its bytes changed."""
    sent = bytearray(random.choice((encodings, bodies, handshakes, smuggling))(random))
    for _ in range(random.choice((1, 3, 30))):
        sent[random.randrange(min(len(sent), 300))] = random.randrange(256)
    return bytes(sent)


def unfinished(random: Random) -> bytes:
    return random.choice(tuple(UNFINISHED.values()))


KINDS: Mapping[str, Callable[[Random], bytes]] = {
    "smuggling": smuggling,
    "sizes": sizes,
    "encodings": encodings,
    "questions": questions,
    "bodies": bodies,
    "handshakes": handshakes,
    "noise": noise,
    "unfinished": unfinished,
}


def hostile(random: Random) -> tuple[str, bytes]:
    """The kind of a request, and its bytes."""
    kind = random.choice(tuple(KINDS))
    return kind, KINDS[kind](random)
