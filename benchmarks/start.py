"""Start: time from the process's start to the page's first byte and to the first stored sample."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory

from benchmarks.alternate import Figures, alternate
from benchmarks.family import Family
from benchmarks.options import Options
from benchmarks.row import Row
from benchmarks.server import compiled, monitor, pinned

LIBRARIES = "import tornado.web, tornado.websocket, numpy, pydantic, yaml, re2, promql_parser"
"""The least that a service on our stack must load."""


def rows(options: Options) -> Iterator[Row]:
    """Starts with a new state folder, starts after a first one, and Python with the libraries alone."""
    with TemporaryDirectory(prefix="bench-") as name, compiled() as environment:
        contestants = {
            "first": lambda: first(environment),
            "again": lambda: start(Path(name), environment),
            "libraries": lambda: libraries(environment),
        }
        found = alternate(options.runs, contestants)
    baseline = found["libraries"]
    for name, title in (("first", "start"), ("again", "second start")):
        against = ("python with the libraries alone", baseline["wall"])
        yield Row(f"{title}: to the first byte of the page", found[name]["page"], "s", *against, most=1.0)
        yield Row(f"{title}: to the first sample stored", found[name]["sample"], "s", *against, most=2.0)
    against = ("python with the libraries alone", baseline["cpu"])
    yield Row("start: CPU until the first sample is stored", found["first"]["cpu"], "s", *against)


def first(environment: Mapping[str, str]) -> Figures:
    with TemporaryDirectory(prefix="bench-") as folder:
        return start(Path(folder), environment)


def start(folder: Path, environment: Mapping[str, str]) -> Figures:
    """Seconds; the first sample comes with the wall clock's next whole second."""
    with monitor(folder, environment=environment) as server:
        page = server.wait_until("/")
        return {"page": page, "sample": server.wait_until("/readyz"), "cpu": Family(server.pid).cpu()}


def libraries(environment: Mapping[str, str]) -> Figures:
    """Seconds of wall and CPU time that only loading them takes."""
    began, used = time.monotonic(), spent()
    command = pinned(0, [sys.executable, "-c", LIBRARIES])
    subprocess.run(command, env={**os.environ, **environment}, check=True)
    return {"wall": time.monotonic() - began, "cpu": spent() - used}


def spent() -> float:
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
