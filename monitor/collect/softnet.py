"""Packets that each core took from its network devices: /proc/net/softnet_stat, hexadecimal.

Linux, net/core/net-procfs.c (softnet_seq_show): a line for each core; older kernels have fewer columns, and
the thirteenth is the core's number.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric


def counter(field: str, text: str) -> Metric:
    return Metric(f"node_softnet_{field}_total", Kind.COUNTER, text)


COLUMNS = {
    0: counter("processed", "Packets handled."),
    1: counter("dropped", "Packets dropped as the queue was full."),
    2: counter("times_squeezed", "Times that work was left when the time was over."),
    8: counter("cpu_collision", "Times that a device was being sent by another core."),
    9: counter("received_rps", "Times that a core was woken to handle packets."),
    10: counter("flow_limit_count", "Times that a flow was over its limit."),
    11: Metric("node_softnet_backlog_len", Kind.GAUGE, "Packets in the queue."),
}
CORE = 12
LEAST = 9


class Softnet:
    def __init__(self) -> None:
        self._shape: Shape[tuple[int, int]] = Shape(entry)
        self._lines: dict[int, tuple[str, dict[tuple[int, int], float]]] = {}
        """By their place; most cores have nothing new in most passes."""

    def collect(self, host: Host) -> Iterator[Block]:
        found: dict[tuple[int, int], float] = {}
        for number, line in enumerate(host.proc("net/softnet_stat").splitlines()):
            before, counts = self._lines.get(number, ("", {}))
            if line != before:
                counts = read(number, line)
                self._lines[number] = line, counts
            found |= counts
        yield self._shape.block(found)


def read(number: int, line: str) -> dict[tuple[int, int], float]:
    """The counts of the line at that place.  Raises ValueError for one that has not as many."""
    words = line.split()
    if len(words) < LEAST:
        raise ValueError(f"softnet_stat: at least {LEAST} numbers expected, found {line!r}")
    core = int(words[CORE], 16) if len(words) > CORE else number
    return {(place, core): float(int(words[place], 16)) for place in COLUMNS if place < len(words)}


def entry(key: tuple[int, int]) -> Entry:
    place, core = key
    return COLUMNS[place].at(cpu=str(core))
