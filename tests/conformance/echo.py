"""An echo on the service's own handler base, and on plain Tornado's, for the tests and for Autobahn.

    python -m tests.conformance.echo PORT [--plain] [--limit BYTES]

listens on 127.0.0.1 until it is ended.
"""

import argparse
import asyncio
from contextlib import suppress
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from monitor.access import Permission
from monitor.server.base import Base
from monitor.server.guard import Guard
from monitor.server.protocol import StrictProtocol, admit
from tests.access.house import open_to_all

LIMIT = 1 << 16


class Living:
    """Counts the handlers that were opened, and those not yet closed."""

    def __init__(self) -> None:
        self.opened = self.now = 0
        self.none = asyncio.Event()
        self.none.set()

    def enter(self) -> None:
        self.opened += 1
        self.now += 1
        self.none.clear()

    def leave(self) -> None:
        self.now -= 1
        if self.now == 0:
            self.none.set()


class PlainEcho(WebSocketHandler):
    """What comes back from Tornado as it is shipped."""

    def initialize(self, deflate: bool, living: Living) -> None:
        self.deflate = deflate
        self.living = living

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.deflate else None

    def open(self, *_args: str, **_kwargs: str) -> None:
        self.living.enter()

    async def on_message(self, message: str | bytes) -> None:
        """Waits until the client has taken the echo: one who does not read is not read from."""
        with suppress(WebSocketClosedError):
            await self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        self.living.leave()


class StrictEcho(Base, PlainEcho):
    """The same as the service does it."""

    needs = Permission.NOTHING

    def prepare(self) -> None:
        super().prepare()
        admit(self.request)

    def get_websocket_protocol(self) -> StrictProtocol | None:
        plain = super().get_websocket_protocol()
        return None if plain is None else StrictProtocol(self, False, plain.params)  # type: ignore[attr-defined]


def make_echo(
    handler: type[PlainEcho] = StrictEcho, limit: int = LIMIT, living: Living | None = None
) -> Application:
    """`/plain` never compresses, `/deflate` does when asked; no message may have more than `limit` bytes."""
    living = living or Living()
    rules = [
        (path, handler, {"deflate": path == "/deflate", "living": living}) for path in ("/plain", "/deflate")
    ]
    return Application(
        rules,
        websocket_max_message_size=limit,
        guard=Guard(),
        access=open_to_all(),
        log_function=lambda _: None,
    )


async def serve(port: int, handler: type[PlainEcho], limit: int) -> None:
    server = HTTPServer(make_echo(handler, limit))
    server.listen(port, "127.0.0.1")
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--plain", action="store_true", help="Tornado as it is shipped")
    parser.add_argument("--limit", type=int, default=LIMIT, help="bytes of the largest message")
    asked = parser.parse_args()
    asyncio.run(serve(asked.port, PlainEcho if asked.plain else StrictEcho, asked.limit))


if __name__ == "__main__":
    main()
