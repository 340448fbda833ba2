"""The kernel's own memory, by the kind of its objects: /proc/slabinfo (slabinfo(5)), for root alone.

Version 2.1: a name, objects in use, objects, bytes of one, objects of a slab, and pages of a slab.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric


def gauge(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_slabinfo_{field}", Kind.GAUGE, text, unit)


COLUMNS = (
    gauge("active_objects", "Objects in use."),
    gauge("objects", "Objects there is room for."),
    gauge("object_size_bytes", "Size of one object.", "bytes"),
    gauge("objects_per_slab", "Objects of one slab."),
    gauge("pages_per_slab", "Pages of one slab."),
)
HEAD = "slabinfo - version: 2."


class Slabinfo:
    def __init__(self) -> None:
        self._shape: Shape[tuple[str, int]] = Shape(entry)

    def collect(self, host: Host) -> Iterator[Block]:
        version, *lines = host.proc("slabinfo").splitlines()
        if not version.startswith(HEAD):
            raise ValueError(f"slabinfo: {HEAD!r} expected, found {version!r}")
        found: dict[tuple[str, int], float] = {}
        for line in lines[1:]:
            name, *words = line.split(maxsplit=len(COLUMNS) + 1)[: len(COLUMNS) + 1] or [""]
            if len(words) < len(COLUMNS):
                raise ValueError(f"slabinfo: {len(COLUMNS)} numbers expected behind {name!r}, found {words}")
            found |= {(name, place): float(word) for place, word in enumerate(words)}
        yield self._shape.block(found)


def entry(key: tuple[str, int]) -> Entry:
    name, place = key
    return COLUMNS[place].at(slab=name)
