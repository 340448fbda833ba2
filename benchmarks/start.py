"""Start: time from the process's start to the page's first byte and to the first stored sample."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory

from benchmarks.alternate import Figures, alternate
from benchmarks.options import Options
from benchmarks.row import Row
from benchmarks.server import monitor, pinned

LIBRARIES = "import tornado.web, tornado.websocket, numpy, pydantic, yaml"
"""The least that a service on our stack must load."""


def rows(options: Options) -> Iterator[Row]:
    """Starts with a new state folder, starts after a first one, and Python with the libraries alone."""
    with TemporaryDirectory(prefix="bench-") as name:
        again = Path(name)
        contestants = {"first": first, "again": lambda: start(again), "libraries": libraries}
        found = alternate(options.runs, contestants)
    baseline = found["libraries"]
    for name, title in (("first", "start"), ("again", "second start")):
        against = ("python with the libraries alone", baseline["wall"])
        yield Row(f"{title}: to the first byte of the page", found[name]["page"], "s", *against, most=1.0)
        yield Row(f"{title}: to the first sample stored", found[name]["sample"], "s", *against, most=2.0)
    against = ("python with the libraries alone", baseline["cpu"])
    yield Row("start: CPU until the first sample is stored", found["first"]["cpu"], "s", *against)


def first() -> Figures:
    with TemporaryDirectory(prefix="bench-") as folder:
        return start(Path(folder))


def start(folder: Path) -> Figures:
    """Seconds; the first sample comes with the wall clock's next whole second."""
    with monitor(folder) as server:
        page = server.wait_until("/")
        return {"page": page, "sample": server.wait_until("/readyz"), "cpu": server.cpu()}


def libraries() -> Figures:
    """Seconds of wall and CPU time that only loading them takes."""
    began, used = time.monotonic(), spent()
    subprocess.run(pinned(0, [sys.executable, "-c", LIBRARIES]), check=True)
    return {"wall": time.monotonic() - began, "cpu": spent() - used}


def spent() -> float:
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
