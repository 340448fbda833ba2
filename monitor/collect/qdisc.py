"""What the network devices' queues sent, dropped and hold: rtnetlink(7), RTM_GETQDISC, of the root of each.

Linux, include/uapi/linux/gen_stats.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.collect.host import Host
from monitor.collect.links import ROUTE, links
from monitor.collect.netlink import Asker, attributes, text
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric

GETQDISC = 38
HEAD = struct.Struct("=BxxxiIII")
"""Family, device, handle, parent, information."""
ROOT = 0xFFFFFFFF
KIND, STATISTICS = 1, 7
BASIC, QUEUE, PACKETS = 1, 3, 8
"""Types within the statistics: bytes and packets (32 bits), the queue, packets (64 bits)."""


def counter(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_qdisc_{field}_total", Kind.COUNTER, text, unit)


METRICS = (
    counter("bytes", "Bytes sent.", "bytes"),
    counter("packets", "Packets sent."),
    Metric("node_qdisc_current_queue_length", Kind.GAUGE, "Packets in the queue."),
    Metric("node_qdisc_backlog", Kind.GAUGE, "Bytes in the queue.", "bytes"),
    counter("drops", "Packets dropped."),
    counter("requeues", "Packets that were put back."),
    counter("overlimits", "Packets over the limit."),
)
"""In the order of the kernel's numbers."""

Key = tuple[str, str, int]
"""Device, kind of queue, place in METRICS."""


@dataclass(eq=False)
class Qdisc(Asker):
    def __post_init__(self) -> None:
        self._shape: Shape[Key] = Shape(entry)

    async def refresh(self, _host: Host) -> list[Block]:
        """Ask for all queues."""
        names = await links(self.ask)
        found: dict[Key, float] = {}
        async for message in self.ask(ROUTE, GETQDISC, bytes(HEAD.size)):
            _, device, _, parent, _ = HEAD.unpack_from(message)
            if parent == ROOT:
                known = attributes(message, HEAD.size)
                kind = text(known.get(KIND, b""))
                counts = enumerate(numbers(known.get(STATISTICS, b"")))
                found |= {(names.get(device, ""), kind, place): count for place, count in counts}
        return [self._shape.block(found)]


def numbers(statistics: bytes) -> Iterator[float]:
    """The numbers in the order of METRICS."""
    known = attributes(statistics)
    size, packets = struct.unpack_from("=QI", known.get(BASIC, bytes(12)))
    if PACKETS in known:
        (packets,) = struct.unpack_from("=Q", known[PACKETS])
    yield float(size)
    yield float(packets)
    yield from map(float, struct.unpack_from("=IIIII", known.get(QUEUE, bytes(20))))


def entry(key: Key) -> Entry:
    device, kind, place = key
    return METRICS[place].at(device=device, kind=kind)
