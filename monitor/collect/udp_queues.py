"""Bytes that wait in the sockets of UDP: /proc/net/udp and /proc/net/udp6.

Linux, net/ipv4/udp.c: a line of titles, then one for each socket, whose fifth word is `sent:received`,
hexadecimal.  The kernel walks a table of thousands of places for it, so they are read every few seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from monitor.collect.host import Host
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric

QUEUES = Metric("node_udp_queues", Kind.GAUGE, "Bytes in the queues of all UDP sockets.")
PLACE = 4
FILES = {"v4": "net/udp", "v6": "net/udp6"}


class UdpQueues:
    every = 10.0

    def __init__(self) -> None:
        self._shape: Shape[tuple[str, str]] = Shape(entry)

    def collect(self, host: Host) -> Iterator[Block]:
        found: dict[tuple[str, str], float] = {}
        for version, file in FILES.items():
            with suppress(FileNotFoundError):  # Switched off, one of them or both.
                found["tx", version], found["rx", version] = totals(host.proc(file))
        if not found:
            raise FileNotFoundError(f"{host.procfs}/{FILES['v4']}")
        yield self._shape.block(found)


def totals(text: str) -> tuple[float, float]:
    """Bytes to send and bytes received, of all lines.  Raises ValueError for a line that has no such pair."""
    sent = received = 0
    for line in text.splitlines()[1:]:
        pair = "".join(line.split(maxsplit=PLACE + 1)[PLACE : PLACE + 1])
        waiting, _, come = pair.partition(":")
        sent += int(waiting, 16)
        received += int(come, 16)
    return float(sent), float(received)


def entry(key: tuple[str, str]) -> Entry:
    queue, version = key
    return QUEUES.at(queue=queue, ip=version)
