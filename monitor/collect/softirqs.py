"""Soft interrupts by what they are for, on each core: /proc/softirqs.

proc(5): a line of cores, then one for each kind with a count for each core.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.table import Cell, Table
from monitor.model import Block, Kind, Metric

TOTAL = Metric("node_softirqs_functions_total", Kind.COUNTER, "Soft interrupts that a core handled.")


class Softirqs:
    def __init__(self) -> None:
        self._table = Table(cells)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._table.block(host.proc("softirqs"))


def cells(words: list[str]) -> Iterator[Cell]:
    """The count of each core for each kind."""
    cores = [word.removeprefix("CPU") for word in words if word.startswith("CPU")]
    width = 1 + len(cores)
    if (len(words) - len(cores)) % width:
        raise ValueError(f"softirqs: a name and {len(cores)} counts expected on each line")
    for start in range(len(cores), len(words), width):
        if not words[start].endswith(":"):
            raise ValueError(f"softirqs: a name with a colon expected, found {words[start]!r}")
        for place, core in enumerate(cores, start + 1):
            yield Cell(TOTAL.at(cpu=core, type=words[start].removesuffix(":")), place)
