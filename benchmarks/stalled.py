"""Viewers that stop reading: how much the service's memory grows for each, at its highest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from benchmarks import generator
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import Server, monitor

EVERY = 0.25
"""Seconds between two looks at the memory."""


def rows(options: Options) -> Iterator[Row]:
    """They subscribe, read for some seconds, and then take nothing more."""
    clients = options.stalled
    progress(f"{clients} viewers stop reading for {options.stalled_seconds:g} s")
    with (
        generator.built("wsload") as programs,
        TemporaryDirectory(prefix="bench-") as folder,
        monitor(Path(folder)) as server,
    ):
        server.wait_until("/readyz")
        generator.load(programs["wsload"], server, 1, *generator.VIEWERS, "--deflate", "--duration", "1")
        before = server.resident()
        with Highest(server) as highest:
            stall = ("--stall-pct", "100", "--stall-after", "0", "--rcvbuf", "4096")
            times = ("--settle", str(options.settle), "--duration", str(options.stalled_seconds))
            generator.load(
                programs["wsload"], server, clients, *generator.VIEWERS, "--deflate", *stall, *times
            )
    grown = (highest.bytes - before) / clients / 1024
    yield Row(f"{clients} viewers that stop reading: memory for each, at most", grown, "KiB", most=64)


class Highest:
    """The most resident memory of a server seen while the context lasts."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.bytes = server.resident()
        self._end = Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Highest:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(EVERY):
            self.bytes = max(self.bytes, self.server.resident())
