"""The controllers of control groups: /proc/cgroups (cgroups(7)).

A line for each, behind one of titles: its name, its hierarchy, how many groups it has, and whether it is on.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.table import Cell, Table
from monitor.model import Block, Kind, Metric

COLUMNS = {
    2: Metric("node_cgroups_cgroups", Kind.GAUGE, "Groups of a controller."),
    3: Metric("node_cgroups_enabled", Kind.GAUGE, "Whether a controller is on."),
}
WIDTH = 4


class Cgroups:
    def __init__(self) -> None:
        self._table = Table(cells)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._table.block(host.proc("cgroups").partition("\n")[2])


def cells(words: list[str]) -> Iterator[Cell]:
    """The two numbers of each controller."""
    if len(words) % WIDTH:
        raise ValueError(f"cgroups: {WIDTH} columns expected, found {len(words)} words")
    for start in range(0, len(words), WIDTH):
        for place, metric in COLUMNS.items():
            yield Cell(metric.at(subsys_name=words[start]), start + place)
