"""Opening handshakes and the status they deserve (RFC 6455 section 4.2, RFC 9110, RFC 7692 section 7.1)."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.conformance.peer import request

REFUSAL = range(400, 506)


class Handshake(NamedTuple):
    """`status` is ours; another server may refuse with any of REFUSAL.  `headers` are in the answer, too."""

    clause: str
    title: str
    sent: bytes
    status: int
    headers: Mapping[str, str | None] = {}

    def __str__(self) -> str:
        return f"{self.clause} {self.title}"


ACCEPT = {
    "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "connection": "Upgrade",
    "upgrade": "websocket",
}
"""The answer to the key of section 1.3."""
NEWER = {"sec-websocket-version": "13", "upgrade": "websocket", "connection": "Upgrade"}
EXTENSIONS = "Sec-WebSocket-Extensions"
AGREED = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"


def instead(name: str, value: str) -> bytes:
    return request("/plain", f"{name}: {value}", drop=(name,))


def offer(value: str, *more: str) -> bytes:
    return request("/deflate", f"{EXTENSIONS}: {value}", *more)


def granted(title: str, sent: bytes, answer: str | None) -> Handshake:
    return Handshake("7692 7.1", title, sent, 101, {EXTENSIONS.lower(): answer})


UPGRADES = [
    Handshake("1.3", "the example", request("/plain"), 101, ACCEPT),
    Handshake("4.2.1", "headers in capitals", request("/plain").upper().replace(b"/PLAIN", b"/plain"), 101),
    Handshake("4.2.1", "Upgrade in any case", instead("Upgrade", "WebSocket"), 101),
    Handshake("9110 7.8", "Upgrade as a list", instead("Upgrade", "h2c, websocket"), 101),
    Handshake("4.2.1", "Connection as a list", instead("Connection", "keep-alive, Upgrade"), 101),
    Handshake("9110 7.6.1", "Connection in any case", instead("Connection", "UPGRADE"), 101),
    Handshake("9110 5.3", "Connection twice", request("/plain", "Connection: keep-alive"), 101),
    Handshake("4.2.1", "no Upgrade", request("/plain", drop=("Upgrade",)), 426, {"upgrade": "websocket"}),
    Handshake("4.2.1", "Upgrade to another protocol", instead("Upgrade", "h2c"), 426),
    Handshake("4.2.1", "Upgrade to websockets", instead("Upgrade", "websockets"), 426),
    Handshake("9110 7.8", "Upgrade without Connection", request("/plain", drop=("Connection",)), 400),
    Handshake("9110 7.8", "Connection names another", instead("Connection", "keep-alive"), 400),
    Handshake("9110 7.8", "HTTP/1.0", request("/plain", line="GET {} HTTP/1.0"), 426),
    Handshake("4.2.1", "POST", request("/plain", "Content-Length: 0", line="POST {} HTTP/1.1"), 405),
    Handshake("4.2.1", "PUT", request("/plain", "Content-Length: 0", line="PUT {} HTTP/1.1"), 405),
    Handshake("4.2.1", "HEAD", request("/plain", line="HEAD {} HTTP/1.1"), 405),
    Handshake("9112 3.2", "no Host", request("/plain", drop=("Host",)), 400),
    Handshake("9112 3.2", "two Hosts", request("/plain", "Host: example.org"), 400),
]
KEYS = [
    Handshake("4.2.1", f"key: {title}", sent, 400)
    for title, sent in {
        "none": request("/plain", drop=("Sec-WebSocket-Key",)),
        "empty": instead("Sec-WebSocket-Key", ""),
        "15 bytes": instead("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA"),
        "17 bytes": instead("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA="),
        "no padding": instead("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"),
        "not base64": instead("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j*Q=="),
        "of the URL alphabet": instead("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub2-_ZQ=="),
        "two": request("/plain", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    }.items()
]
VERSIONS = [
    Handshake("4.2.2", "no version", request("/plain", drop=("Sec-WebSocket-Version",)), 426, NEWER),
    *(
        Handshake("4.4", f"version {version}", instead("Sec-WebSocket-Version", version), 426, NEWER)
        for version in ("8", "12", "14", "013", "13, 8", "thirteen")
    ),
]
EXTENDED = [
    granted("not offered", request("/deflate"), None),
    granted("offered, not wanted", request("/plain", f"{EXTENSIONS}: permessage-deflate"), None),
    granted("as Chromium offers it", offer("permessage-deflate; client_max_window_bits"), AGREED),
    granted("with both kinds of no_context_takeover", offer(AGREED), AGREED),
    granted("a window of the client's", offer("permessage-deflate; client_max_window_bits=10"), AGREED),
    granted("a quoted window", offer('permessage-deflate; client_max_window_bits="10"'), AGREED),
    granted(
        "the widest window of ours",
        offer("permessage-deflate; server_max_window_bits=15"),
        AGREED.replace("; s", "; server_max_window_bits=15; s"),
    ),
    granted("a smaller window of ours", offer("permessage-deflate; server_max_window_bits=10"), None),
    granted(
        "the second of two offers",
        offer("permessage-deflate; server_max_window_bits=10, permessage-deflate"),
        AGREED,
    ),
    granted("an offer in another header", offer("x-unknown", f"{EXTENSIONS}: permessage-deflate"), AGREED),
    granted("an extension nobody knows", offer("x-webkit-deflate-frame"), None),
    *(
        granted(f"declined: {wrong}", offer(f"permessage-deflate; {wrong}"), None)
        for wrong in (
            "unknown",
            "server_no_context_takeover=1",
            "server_no_context_takeover; server_no_context_takeover",
            "client_max_window_bits=7",
            "client_max_window_bits=16",
            "client_max_window_bits=010",
            "client_max_window_bits=",
            "server_max_window_bits",
        )
    ),
]
HANDSHAKES = [*UPGRADES, *KEYS, *VERSIONS, *EXTENDED]
