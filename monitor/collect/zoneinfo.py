"""Memory by node and zone: /proc/zoneinfo, in pages of the kernel (proc(5), Linux, mm/vmstat.c).

A zone begins with `Node 0, zone DMA`; then come names with a number each.  What counts for a whole node
stands with its first zone, and what counts for a core is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric

MARKS = {
    "min": "Free pages below which nothing is given away.",
    "low": "Free pages below which memory is reclaimed.",
    "high": "Free pages above which no memory is reclaimed.",
    "scanned": "Pages looked at since the last reclaim.",
    "spanned": "Pages of the zone, holes among them.",
    "present": "Pages that are there.",
    "managed": "Pages that can be given away.",
}
PAGES = (
    "nr_free_pages",
    "nr_active_anon",
    "nr_inactive_anon",
    "nr_isolated_anon",
    "nr_anon_pages",
    "nr_active_file",
    "nr_inactive_file",
    "nr_isolated_file",
    "nr_file_pages",
    "nr_slab_reclaimable",
    "nr_slab_unreclaimable",
    "nr_mlock_stack",
    "nr_mapped",
    "nr_dirty",
    "nr_writeback",
    "nr_unevictable",
    "nr_shmem",
)
COUNTS = {
    "nr_dirtied": "Pages made dirty since boot.",
    "nr_written": "Pages written since boot.",
    "numa_hit": "Allocations in the node that was meant.",
    "numa_miss": "Allocations in a node that was not meant.",
    "numa_foreign": "Allocations that were meant here and done elsewhere.",
    "numa_interleave": "Allocations that were spread over nodes on purpose.",
    "numa_local": "Allocations by a core of the node.",
    "numa_other": "Allocations by a core of another node.",
}


def gauge(name: str, text: str) -> Metric:
    return Metric(f"node_zoneinfo_{name}", Kind.GAUGE, text)


METRICS = {
    **{name: gauge(f"{name}_pages", text) for name, text in MARKS.items()},
    **{name: gauge(f"{name.removesuffix('_pages')}_pages", f"{name} of /proc/zoneinfo.") for name in PAGES},
    "nr_anon_transparent_hugepages": gauge(
        "nr_anon_transparent_hugepages", "Huge pages that programs have without asking."
    ),
    "nr_kernel_stack": gauge("nr_kernel_stacks", "Stacks of the kernel, in KiB."),
    **{name: Metric(f"node_zoneinfo_{name}_total", Kind.COUNTER, text) for name, text in COUNTS.items()},
}
PROTECTION = re.compile(r"protection: \((.*)\)")
ZONE = re.compile(r"Node (\d+), zone +(\S+)")

Key = tuple[str, str, str]
"""Node, zone, and the name of a line, or the place within the protection."""


class Zoneinfo:
    def __init__(self) -> None:
        self._shape: Shape[Key] = Shape(entry)

    def collect(self, host: Host) -> Iterator[Block]:
        found = dict(numbers(host.proc("zoneinfo")))
        if not found:
            raise ValueError("zoneinfo: a line `Node 0, zone ...` and numbers behind it expected")
        yield self._shape.block(found)


def numbers(text: str) -> Iterator[tuple[Key, float]]:
    """Each number by its zone and name."""
    node = zone = ""
    for line in text.splitlines():
        words = line.split()
        if found := ZONE.match(line):
            node, zone = found.groups()
        elif found := PROTECTION.search(line):
            for place, number in enumerate(found[1].split(",")):
                yield (node, zone, str(place)), float(number)
        elif len(words) == 3 and words[:2] == ["pages", "free"]:
            continue  # The same as nr_free_pages.
        elif len(words) == 2 and words[0] in METRICS:
            yield (node, zone, words[0]), float(words[1])


def entry(key: Key) -> Entry:
    node, zone, name = key
    metric = METRICS.get(name) or gauge(f"protection_{name}", "Pages kept from requests for a higher zone.")
    return metric.at(node=node, zone=zone)
