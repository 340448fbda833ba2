"""Tornado's WebSocket, strict: the handshake, the negotiation, the reading and the ending of a connection.

`StrictProtocol` relies on these of Tornado's internals and overrides the first two:

- `_receive_frame_loop`: awaited once for each connection; it is the whole of the reading;
- `_parse_extensions_header`: what it returns is what is negotiated and answered (RFC 7692 section 7.1);
- `_run_callback` calls the handler; `_handle_message` answers a ping and notes a pong;
- `close` writes one close frame and gives the peer five seconds; `_abort` ends at once;
- `_decompressor` is not None where permessage-deflate was agreed.

What arrives is judged in inbound.py.  A connection that fails is sent its closing code, half closed, and read
to its end, so that no reset overtakes the code (RFC 6455 section 7.1.1, RFC 9112 section 9.6).
"""

from __future__ import annotations

import asyncio
import binascii
import socket
from contextlib import suppress
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketProtocol13

from monitor.server.errors import Failure
from monitor.server.inbound import BINARY, CLOSE, Inbound, Violation

READ = 2048
"""Bytes taken from the stream at a time: few frames for one turn of the loop."""

OURS = "server_no_context_takeover", "client_no_context_takeover"
"""Parameters of our answer; both are legal unasked (RFC 7692 sections 7.1.1.1 and 7.1.1.2)."""
BITS = "client_max_window_bits", "server_max_window_bits"
LEGAL = {name: name for name in (*OURS, BITS[0])} | {
    f"{name}={quote}{bits}{quote}": name
    for name, least in zip(BITS, (8, 15), strict=True)
    for bits in range(least, 16)
    for quote in ("", '"')
}
"""The parameters that we can grant, in every legal spelling (7.1); ours is always the widest window."""
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}


class StrictProtocol(WebSocketProtocol13):
    """RFC 6455 to the letter, with the one compression whose frames can be shared."""

    ending = "lost"
    """How it ends: `closed` by the peer's close frame, by its `violation`, or `lost` without a word."""

    @property
    def deflates(self) -> bool:
        """Whether permessage-deflate was agreed."""
        return self._decompressor is not None

    def _parse_extensions_header(self, headers: HTTPHeaders) -> list[tuple[str, dict[str, Any]]]:
        answers = map(granted, headers.get("Sec-WebSocket-Extensions", "").split(","))
        # The first that can be granted (RFC 7692 section 5).
        return [("permessage-deflate", answer) for answer in answers if answer][:1]

    def write_ping(self, data: bytes) -> None:
        """Nothing follows a close frame (RFC 6455 section 5.5.1)."""
        if not self.is_closing():
            super().write_ping(data)

    async def _receive_frame_loop(self) -> None:
        try:
            self.stream.read_chunk_size = READ
            await self._receive()
            await self._linger()
        except StreamClosedError:
            pass
        finally:
            self._abort()
            self.handler.on_ws_connection_close(self.close_code, self.close_reason)

    async def _receive(self) -> None:
        """Returns when a close frame has been written: the client asked for it, or earned it."""
        inbound = Inbound(self.params.max_message_size, self.deflates)
        try:
            while not self.client_terminated:
                for opcode, payload in inbound.receive(await self._read()):
                    if opcode == CLOSE:
                        self._answer_close(payload)
                        return
                    handled = self._deliver(opcode, payload)
                    if handled is not None:
                        await handled
        except Violation as violation:
            self.ending = "violation"
            self.close(violation.code, violation.reason)

    async def _read(self) -> bytes:
        """Some bytes.  Between those that were there already the loop turns, for the sake of the others."""
        future: asyncio.Future[bytes] = self.stream.read_bytes(READ, partial=True)  # type: ignore[assignment]
        if future.done():
            await asyncio.sleep(0)
        return await future

    def _deliver(self, opcode: int, payload: Any) -> asyncio.Future[Any] | None:
        if opcode > BINARY:
            return self._handle_message(opcode, payload)
        if self.client_terminated:  # The handler failed at an earlier one.
            return None
        return self._run_callback(self.handler.on_message, payload)

    def _answer_close(self, payload: bytes) -> None:
        """Echoes the code (RFC 6455 section 5.5.1), if this is not the echo of ours."""
        self.ending = "closed"
        if payload:
            self.close_code = int.from_bytes(payload[:2])
            self.close_reason = payload[2:].decode() or None
        self.close(self.close_code)

    async def _linger(self) -> None:
        """Reads on, to the client's end or for as long as Tornado's `close` allows, and drops it all."""
        await self.stream.write(b"")  # Done when all that waited has gone.
        with suppress(OSError):
            self.stream.socket.shutdown(socket.SHUT_WR)
        while True:
            await self._read()


def granted(offer: str) -> dict[str, str | None] | None:
    """The parameters to answer one offer of permessage-deflate with, or None (RFC 7692 section 7.1).

    A client that insists on a smaller window of ours cannot share frames: it is served uncompressed.
    """
    extension, *parameters = ("".join(part.split()) for part in offer.split(";"))
    names = {LEGAL.get(parameter) for parameter in parameters}
    if extension != "permessage-deflate" or None in names or len(names) < len(parameters):
        return None
    # Tornado writes a parameter whose value is None without `=`.
    return dict.fromkeys(OURS) | ({BITS[1]: "15"} if BITS[1] in names else {})


def admit(request: HTTPServerRequest) -> None:
    """Raises Failure unless the request is an opening handshake (RFC 6455 section 4.2.1).

    Call it in `prepare`.  It leaves the one word in Upgrade that Tornado looks for.
    """
    headers = request.headers
    # An HTTP/1.0 client cannot upgrade, whatever it says (RFC 9110 section 7.8).
    if request.version == "HTTP/1.0" or "websocket" not in listed(headers, "Upgrade"):
        text = "This is a WebSocket endpoint; the page opens it by itself."
        raise Failure(426, "upgrade_required", text, UPGRADE)
    if "upgrade" not in listed(headers, "Connection"):
        raise Failure(400, "bad_handshake", "Connection does not name Upgrade; has a proxy removed it?")
    if headers.get("Sec-WebSocket-Version") != "13":  # 4.2.2, 4.4
        text = "This service speaks version 13 of the WebSocket protocol."
        raise Failure(426, "unknown_version", text, {"Sec-WebSocket-Version": "13", **UPGRADE})
    if not is_key(headers.get("Sec-WebSocket-Key", "")):
        raise Failure(400, "bad_handshake", "Sec-WebSocket-Key is not 16 bytes in base64.")
    headers["Upgrade"] = "websocket"


def listed(headers: HTTPHeaders, name: str) -> set[str]:
    """The words of a header that is a list, which are compared without regard to case."""
    return {word.strip().lower() for word in headers.get(name, "").split(",")}


def is_key(text: str) -> bool:
    """Whether text is 16 bytes in base64 (RFC 6455 section 4.1, RFC 4648 section 3.5)."""
    try:
        key = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return False
    return len(key) == 16
