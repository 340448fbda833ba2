"""Sockets in use by protocol: /proc/net/sockstat and /proc/net/sockstat6.

Each line is a protocol and pairs of a name and a number (Linux, net/ipv4/proc.c); `mem` counts pages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from monitor.collect.host import Host
from monitor.collect.table import Cell, Table
from monitor.model import Block, Kind, Metric

PAGE = os.sysconf("SC_PAGE_SIZE")
USED = Metric("node_sockstat_sockets_used", Kind.GAUGE, "Sockets of all kinds in use.")


class Sockstat:
    def __init__(self) -> None:
        self._table = Table(cells)

    def collect(self, host: Host) -> Iterator[Block]:
        text = host.proc("net/sockstat")
        with suppress(FileNotFoundError):  # IPv6 may be switched off.
            text += host.proc("net/sockstat6")
        yield self._table.block(text)


def cells(words: list[str]) -> Iterator[Cell]:
    """The numbers of each protocol."""
    starts = [place for place, word in enumerate(words) if word.endswith(":")]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        protocol = words[start].removesuffix(":")
        if (end - start) % 2 == 0:
            raise ValueError(f"net/sockstat: a number behind each name of {protocol} expected")
        for place in range(start + 2, end, 2):
            yield from _cells(protocol, words[place - 1], place)


def _cells(protocol: str, state: str, place: int) -> Iterator[Cell]:
    if protocol == "sockets":
        yield Cell(USED.at(), place)
        return
    yield Cell(metric(protocol, state).at(), place)
    if state == "mem":
        yield Cell(metric(protocol, "mem_bytes").at(), place, 1 / PAGE)


def metric(protocol: str, state: str) -> Metric:
    """The metric of one number of a protocol."""
    unit = "bytes" if state == "mem_bytes" else ""
    return Metric(f"node_sockstat_{protocol}_{state}", Kind.GAUGE, f"Sockets of {protocol}: {state}.", unit)
