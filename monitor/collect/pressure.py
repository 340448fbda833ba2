"""Pressure stall information: time lost waiting for CPU, I/O or memory (Linux 4.20+).

Each line of /proc/pressure/<resource>, `some` and then `full`, ends in "total=<microseconds>"
(Linux, Documentation/accounting/psi.rst).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.model import Block, Kind, Layout, Metric

MICROSECONDS = 1_000_000
STATES = {"waiting": "at least one task waited", "stalled": "no task could go on"}
RESOURCES = {"cpu": ("waiting",), "io": ("waiting", "stalled"), "memory": ("waiting", "stalled")}
"""A CPU always runs some task while one waits, so nothing stalls for it."""


def metric(resource: str, state: str) -> Metric:
    """The metric of one line of one resource."""
    return Metric(
        f"node_pressure_{resource}_{state}_seconds_total",
        Kind.COUNTER,
        f"Time in which {STATES[state]} for {resource}.",
        "seconds",
    )


TOTALS = Layout(metric(resource, state).at() for resource, states in RESOURCES.items() for state in states)


class Pressure:
    def collect(self, host: Host) -> Iterator[Block]:
        values: list[float] = []
        for resource, states in RESOURCES.items():
            values += totals(read(host, f"pressure/{resource}"), len(states))
        yield Block(TOTALS, values)


def totals(text: str, lines: int) -> list[float]:
    """The totals of the first lines, in seconds."""
    found = [float(part.split(maxsplit=1)[0]) / MICROSECONDS for part in text.split("total=")[1 : lines + 1]]
    if len(found) < lines:
        raise ValueError(f"pressure: {lines} lines with a total expected, found {text!r}")
    return found


def read(host: Host, path: str) -> str:
    """The text, where the kernel has pressure and was not booted with psi=0."""
    try:
        return host.proc(path)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise FileNotFoundError(errno.ENOENT, "pressure is switched off in the kernel", path) from error
        raise
