"""A recording as something to scrape: its rows, one a second, to whoever asks, and who got how many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from benchmarks.recording import Recording
from monitor.formats.exposition import Exposition, Flavour
from monitor.model import Block, Floats


class Target:
    """Serves the page of this second under any path, and remembers when each path was served."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.served: dict[str, list[float]] = {}
        """Unix times by path, without its slash."""
        self.port = 0
        self._began = int(time.time())
        self._writer = Exposition()
        self._page: tuple[int, bytes] = (-1, b"")

    def row(self) -> Floats:
        """(k,): the values of this second."""
        row: Floats = self.recording.rows(int(time.time()) - self._began, 1)[0]
        return row

    def page(self) -> bytes:
        """The page of this second."""
        second = int(time.time())
        if self._page[0] != second:
            blocks = [Block(self.recording.layout, self.row().tolist())]
            self._page = second, self._writer.encode(blocks, Flavour.TEXT)
        return self._page[1]

    def between(self, name: str, first: float, last: float) -> int:
        """How often it was served in that time."""
        return sum(first < at <= last for at in self.served.get(name, ()))


@contextmanager
def serving(recording: Recording) -> Iterator[Target]:
    """On a loopback port, in threads of this process."""
    target = Target(recording)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            page = target.page()
            self.send_response(200)
            self.send_header("Content-Type", Flavour.TEXT.value)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            target.served.setdefault(self.path[1:], []).append(time.time())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    target.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield target
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
