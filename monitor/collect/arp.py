"""Neighbours whose hardware address is known or asked for: /proc/net/arp, a line for each, headed by titles.

Linux, net/ipv4/arp.c: address, hardware type, flags, hardware address, mask, device.  The kernel walks its
whole table for it, so it is read every few seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.shape import Shape
from monitor.model import Block, Kind, Metric

ENTRIES = Metric("node_arp_entries", Kind.GAUGE, "Neighbours of a network device in the ARP table.")
COLUMNS = 6


class Arp:
    every = 10.0

    def __init__(self) -> None:
        self._shape: Shape[str] = Shape(lambda device: ENTRIES.at(device=device))

    def collect(self, host: Host) -> Iterator[Block]:
        lines = [line.split() for line in host.proc("net/arp").splitlines()[1:]]
        if wrong := [line for line in lines if len(line) != COLUMNS]:
            raise ValueError(f"net/arp: {COLUMNS} columns expected, found {wrong[0]}")
        yield self._shape.block({name: float(n) for name, n in Counter(line[-1] for line in lines).items()})
