"""Connections that the packet filter follows: /proc/sys/net/netfilter, and /proc/net/stat/nf_conntrack.

Linux, net/netfilter/nf_conntrack_standalone.c: a line of names, then one of hexadecimal counts for each core.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.collect.host import Host
from monitor.collect.seldom import Seldom
from monitor.model import Block, Kind, Layout, Metric

FOLDER = "sys/net/netfilter"
EVERY = 5.0
"""Seconds between two looks at the limit, and at what the cores counted."""
COUNTS = {
    "found": "Entries that were searched and found.",
    "invalid": "Packets that could not be followed.",
    "ignore": "Packets that were followed already.",
    "insert": "Entries put into the table.",
    "insert_failed": "Entries that could not be put into the table.",
    "drop": "Packets dropped as no entry could be made.",
    "early_drop": "Entries dropped to make room in a full table.",
    "search_restart": "Searches begun anew as the table was resized.",
}
FOLLOWED = Layout([Metric("node_nf_conntrack_entries", Kind.GAUGE, "Connections followed.").at()])
ROOM = Layout(
    [Metric("node_nf_conntrack_entries_limit", Kind.GAUGE, "Connections that may be followed.").at()]
)
STATISTICS = Layout(
    # node_exporter calls them gauges, too.
    Metric(f"node_nf_conntrack_stat_{name}", Kind.GAUGE, text).at()
    for name, text in COUNTS.items()
)


class Conntrack:
    def __init__(self) -> None:
        self._seldom = Seldom(seldom, EVERY)

    def collect(self, host: Host) -> Iterator[Block]:
        yield Block(FOLLOWED, [float(host.proc(f"{FOLDER}/nf_conntrack_count"))])
        yield from self._seldom.blocks(host)


def seldom(host: Host) -> Iterator[Block]:
    """The limit, and what all cores counted."""
    yield Block(ROOM, [float(host.proc(f"{FOLDER}/nf_conntrack_max"))])
    names, *lines = [line.split() for line in host.proc("net/stat/nf_conntrack").splitlines()]
    yield Block(STATISTICS, [total(names, lines, name) for name in COUNTS])


def total(names: Sequence[str], lines: Sequence[Sequence[str]], name: str) -> float:
    """The sum of a column over the cores.  Raises ValueError for a line that is not as long as the names."""
    if any(len(line) != len(names) for line in lines) or name not in names:
        raise ValueError(f"net/stat/nf_conntrack: a column {name} and {len(names)} counts a line expected")
    place = names.index(name)
    return float(sum(int(line[place], 16) for line in lines))
