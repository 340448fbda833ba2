"""Memory of each node of a host with several: /sys/devices/system/node/node<n>/meminfo and numastat.

Linux, Documentation/admin-guide/numastat.rst.  The lines of the first are `Node 0 MemTotal: 8 kB`.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.attributes import names
from monitor.collect.host import Host
from monitor.collect.meminfo import KIB, PUNCTUATION
from monitor.collect.seldom import Seldom
from monitor.collect.table import Cell, Table, is_number
from monitor.model import Block, Kind, Metric

FOLDER = "devices/system/node"


class MeminfoNuma:
    def __init__(self) -> None:
        self._tables: dict[str, tuple[Table, Table]] = {}
        self._seldom = Seldom(self._list)

    def collect(self, host: Host) -> Iterator[Block]:
        self._seldom.blocks(host)
        for node, (memory, counts) in self._tables.items():
            yield memory.block(host.sys(f"{FOLDER}/node{node}/meminfo"))
            yield counts.block(f"{node} " + host.sys(f"{FOLDER}/node{node}/numastat"))

    def _list(self, host: Host) -> tuple[Block, ...]:
        """Note which nodes there are."""
        listed = [name.removeprefix("node") for name in names(host, FOLDER)]
        nodes = [node for node in listed if node.isdigit()]
        if not nodes:
            raise FileNotFoundError(f"{host.sysfs}/{FOLDER}: no node")
        self._tables = {node: self._tables.get(node, (Table(sizes), Table(counts))) for node in nodes}
        return ()


def sizes(words: list[str]) -> Iterator[Cell]:
    """The number behind each name, in bytes where its unit is kB."""
    for place, word in enumerate(words):
        if not word.endswith(":"):
            continue
        if place < 2 or words[place - 2] != "Node" or not is_number("".join(words[place + 1 : place + 2])):
            raise ValueError(f"node meminfo: a node before and a number behind {word!r} expected")
        field = word.translate(PUNCTUATION)
        counted = words[place + 2 : place + 3] != ["kB"]
        metric = Metric(
            f"node_memory_numa_{field}",
            Kind.GAUGE,
            f"{field} of a node's memory.",
            "" if counted else "bytes",
        )
        yield Cell(metric.at(node=words[place - 1]), place + 1, 1 if counted else KIB)


def counts(words: list[str]) -> Iterator[Cell]:
    """The count behind each name, all behind the number of the node."""
    node, *pairs = words
    if len(pairs) % 2:
        raise ValueError(f"numastat: a count behind each name expected, found {pairs}")
    for place in range(1, len(words), 2):
        field = words[place]
        metric = Metric(f"node_memory_numa_{field}_total", Kind.COUNTER, f"{field} of a node's allocations.")
        yield Cell(metric.at(node=node), place + 1)
