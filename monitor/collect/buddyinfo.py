"""Free memory by the size of its blocks: /proc/buddyinfo.

proc(5): `Node 0, zone DMA`, then how many blocks of 1, 2, 4, 8, ... pages are free.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.table import Cell, Table
from monitor.model import Block, Kind, Metric

BLOCKS = Metric("node_buddyinfo_blocks", Kind.GAUGE, "Free blocks of 2^size pages.")
NAMES = 4


class Buddyinfo:
    def __init__(self) -> None:
        self._table = Table(cells)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._table.block(host.proc("buddyinfo"))


def cells(words: list[str]) -> Iterator[Cell]:
    """The counts of each zone."""
    starts = [place for place, word in enumerate(words) if word == "Node"]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        if end - start <= NAMES or words[start + 2] != "zone":
            raise ValueError(f"buddyinfo: a zone and its counts expected, found {words[start:end]}")
        node, zone = words[start + 1].removesuffix(","), words[start + 3]
        for size, place in enumerate(range(start + NAMES, end)):
            yield Cell(BLOCKS.at(node=node, zone=zone, size=str(size)), place)
