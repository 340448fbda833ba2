"""An accepted connection goes to another process before it is upgraded (unix(7), SCM_RIGHTS).

The request has been read and judged; what goes over is the socket, with the request's head in JSON.  It
relies on these of Tornado's internals, and tests/server/test_handover.py fails when they change:
`request.connection.stream` is the connection's stream, and its `_read_buffer` holds what has come behind the
request.  A client that sends before it is answered, which RFC 6455 section 4.1 forbids, is not handed over.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError

from monitor.access import Credential
from monitor.access.credential import packed as pack
from monitor.access.credential import unpacked as unpack

SHOWN = {"Authorization", "Cookie"}
MOST = 64 << 10
"""Bytes of a packed head; the header of a request may have 16 KiB, and JSON makes more of some of them."""


class Taker(Protocol):
    """Who may take a connection."""

    def hand_over(
        self, request: HTTPServerRequest, credential: Credential, connection: socket.socket
    ) -> bool:
        """Whether another process has it now; then this one closes its own descriptor, and no more."""


def handed_over(request: HTTPServerRequest, credential: Credential, taker: Taker | None) -> bool:
    """Whether the taker took the connection of a request.  Then it is to be detached and closed here."""
    if taker is None:
        return False
    stream: IOStream = request.connection.stream  # type: ignore[union-attr]
    early = stream._read_buffer  # noqa: SLF001
    return not early and taker.hand_over(request, credential, stream.socket)


class Context(NamedTuple):
    """What Tornado asks of a connection's surroundings."""

    remote_ip: str
    protocol: str


class Handed(HTTPConnection):
    """The answering half of HTTP/1.1, for the one request that has been read elsewhere."""

    def __init__(self, stream: IOStream, context: Context, credential: Credential) -> None:
        self.stream = stream
        self.credential = credential
        self.context = context
        self._upgraded = False

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Any:
        assert isinstance(start_line, ResponseStartLine)
        self._upgraded = start_line.code == 101
        lines = [f"HTTP/1.1 {start_line.code} {start_line.reason}"]
        lines += [f"{name}: {value}" for name, value in headers.get_all()]
        return self.write("\r\n".join([*lines, "", ""]).encode("latin-1") + (chunk or b""))

    def write(self, chunk: bytes) -> Any:
        future = self.stream.write(chunk)
        # A client that has gone meanwhile is no error of ours; Tornado would log its future.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    def finish(self) -> None:
        """What is not upgraded has been answered, and has no second request."""
        if not self._upgraded:
            self.stream.close()

    def detach(self) -> IOStream:
        return self.stream

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Who reads of the stream is told of its end."""


def packed(request: HTTPServerRequest, credential: Credential) -> bytes:
    """What was judged stays here: of what the client showed only who it is goes over."""
    fields = [field for field in request.headers.get_all() if field[0] not in SHOWN]
    head = (request.uri, fields, request.remote_ip, pack(credential))
    return json.dumps(head).encode()


def sender_of(data: bytes) -> tuple[str, str]:
    """Where a packed request came from, and the key of its credential."""
    _, _, address, (key, *_) = json.loads(data)
    return address or "", key


def unpacked(data: bytes, connection: socket.socket, most: int) -> HTTPServerRequest:
    """The request, on a stream that holds at most so many bytes of what comes.

    Raises StreamClosedError where the client has gone meanwhile.
    """
    uri, fields, address, credential = json.loads(data)
    headers = HTTPHeaders()
    for name, value in fields:
        headers.add(name, value)
    connection.setblocking(False)
    try:
        stream = IOStream(connection, max_buffer_size=most)
    except OSError as error:
        raise StreamClosedError(error) from error
    handed = Handed(stream, Context(address, "http"), unpack(credential))
    return HTTPServerRequest(
        headers=headers, connection=handed, start_line=RequestStartLine("GET", uri, "HTTP/1.1")
    )
