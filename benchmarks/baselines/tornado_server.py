"""What one writes first with Tornado: a list of handlers, and `write_message` to each, once a second.

python tornado_server.py PORT PAYLOAD_FILE [deflate] [unpinged]

Unpinged is what Tornado does where nothing else is said.
"""

from __future__ import annotations

import asyncio
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler

viewers: set[Viewer] = set()


class Viewer(WebSocketHandler):
    def initialize(self, deflate: bool) -> None:
        self.deflate = deflate

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.deflate else None

    def open(self, *_args: str, **_kwargs: str) -> None:
        viewers.add(self)

    def on_message(self, message: str | bytes) -> None:
        """Viewers only listen."""

    def on_close(self) -> None:
        viewers.discard(self)


async def main(port: int, payload: str, deflate: bool, pings: int | None) -> None:
    application = Application([("/ws", Viewer, {"deflate": deflate})], websocket_ping_interval=pings)
    HTTPServer(application).add_sockets(bind_sockets(port, "127.0.0.1", backlog=4096))
    while True:
        await asyncio.sleep(1 - time.time() % 1)
        text = re.sub(r'"t":\d+', f'"t":{time.time_ns() // 1_000_000}', payload)
        for viewer in tuple(viewers):
            # Those who go in the middle of a tick are not this benchmark's matter.
            viewer.write_message(text).add_done_callback(lambda future: future.exception())


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    number, file, *flags = sys.argv[1:]
    text = Path(file).read_text(encoding="utf-8")
    asyncio.run(main(int(number), text, "deflate" in flags, None if "unpinged" in flags else 10))
