"""Work of the XFS file systems: /sys/fs/xfs/<device>/stats/stats, a name and its counts on each line.

Linux, fs/xfs/xfs_stats.c, and https://xfs.org/index.php/Runtime_Stats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.collect.attributes import names, text
from monitor.collect.host import Host
from monitor.collect.seldom import Seldom
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric

FOLDER = "fs/xfs"
TREE = ("lookups", "compares", "records_inserted", "records_deleted")
LINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "extent_alloc": (
        "extent_allocation",
        ("extents_allocated", "blocks_allocated", "extents_freed", "blocks_freed"),
    ),
    "abt": ("allocation_btree", TREE),
    "blk_map": (
        "block_mapping",
        (
            "reads",
            "writes",
            "unmaps",
            "extent_list_insertions",
            "extent_list_deletions",
            "extent_list_lookups",
            "extent_list_compares",
        ),
    ),
    "bmbt": ("block_map_btree", TREE),
    "dir": ("directory_operation", ("lookup", "create", "remove", "getdents")),
    "ig": (
        "inode_operation",
        ("attempts", "found", "recycled", "missed", "duplicates", "reclaims", "attribute_changes"),
    ),
    "rw": ("", ("write_calls", "read_calls")),
    "vnodes": ("vnode", ("active", "allocate", "get", "hold", "release", "reclaim", "remove")),
}
"""By the name of a line: the part it is about, and its counts in their order."""


def metric(part: str, count: str) -> Metric:
    name = f"{part}_{count}" if part else count
    words = name.replace("_", " ")
    return Metric(f"node_xfs_{name}_total", Kind.COUNTER, f"XFS: {words} since it was mounted.")


METRICS = {line: tuple(metric(part, count) for count in counts) for line, (part, counts) in LINES.items()}


class Xfs:
    def __init__(self) -> None:
        self._shape: Shape[tuple[str, str, int]] = Shape(entry)
        self._devices: Sequence[str] = ()
        self._seldom = Seldom(self._list, 10)

    def collect(self, host: Host) -> Iterator[Block]:
        self._seldom.blocks(host)
        found: dict[tuple[str, str, int], float] = {}
        for device in self._devices:
            for line, counts in lines(text(host, f"{FOLDER}/{device}/stats/stats") or ""):
                found |= {(device, line, place): count for place, count in enumerate(counts)}
        yield self._shape.block(found)

    def _list(self, host: Host) -> tuple[Block, ...]:
        """Note which devices there are."""
        everything = names(host, FOLDER)
        self._devices = [
            name for name in everything if names(host, f"{FOLDER}/{name}/stats") and name != "stats"
        ]
        if not self._devices:
            raise FileNotFoundError(f"{host.sysfs}/{FOLDER}: no file system")
        return ()


def lines(text: str) -> Iterator[tuple[str, list[float]]]:
    """The lines that are told, each with its counts."""
    for line in text.splitlines():
        name, *words = line.split() or [""]
        if name in METRICS:
            if len(words) < len(METRICS[name]):
                raise ValueError(f"xfs: {len(METRICS[name])} counts expected behind {name}, found {words}")
            yield name, [float(word) for word in words[: len(METRICS[name])]]


def entry(key: tuple[str, str, int]) -> Entry:
    device, line, place = key
    return METRICS[line][place].at(device=device)
