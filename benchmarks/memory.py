"""Memory and CPU of the service as it stands: nobody watching, then one viewer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import Server, compiled, monitor
from benchmarks.start import LIBRARIES
from benchmarks.viewer import watch

RESIDENT = "import os; print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGESIZE'))"
MEGABYTE = 1e6
WATCHED = 10
"""Ticks that the viewer stays."""


def rows(options: Options) -> Iterator[Row]:
    """One run: what takes minutes is not repeated."""
    libraries = libraries_alone() / MEGABYTE
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        compiled() as environment,
        monitor(Path(folder), environment=environment) as server,
    ):
        server.wait_until("/readyz")
        progress(f"the service runs for {options.minutes:g} minutes")
        idle = share(server, options.minutes * 60)
        against = "python with the libraries alone", libraries
        name = f"resident memory after {options.minutes:g} min"
        yield Row(name, server.resident() / MEGABYTE, "MB", *against, most=80)
        began, used = time.monotonic(), server.cpu()
        asyncio.run(watch(server, min(WATCHED, options.passes)))
        watched = (server.cpu() - used) / (time.monotonic() - began) * 100
        yield Row("the service with one viewer: share of a core", watched, "%", "nobody watching", idle)


def share(server: Server, seconds: float) -> float:
    """Percent of a core that it takes for so long."""
    used = server.cpu()
    time.sleep(seconds)
    return (server.cpu() - used) / seconds * 100


def libraries_alone() -> float:
    """Bytes resident in a Python that has loaded the libraries of our stack."""
    command = [sys.executable, "-c", f"{LIBRARIES}; {RESIDENT}"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
