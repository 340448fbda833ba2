"""Equal pages of memory that the kernel joins: /sys/kernel/mm/ksm.

Linux, Documentation/admin-guide/mm/ksm.rst.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.attributes import number
from monitor.collect.host import Host
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric

FOLDER = "kernel/mm/ksm"


def gauge(field: str, text: str, unit: str = "") -> tuple[Metric, float]:
    return Metric(f"node_ksmd_{field}", Kind.GAUGE, text, unit), 1


FILES: dict[str, tuple[Metric, float]] = {
    "full_scans": (Metric("node_ksmd_full_scans_total", Kind.COUNTER, "Times that all was looked at."), 1),
    "merge_across_nodes": gauge("merge_across_nodes", "Whether pages of different nodes are joined."),
    "pages_shared": gauge("pages_shared", "Pages that stand for others."),
    "pages_sharing": gauge("pages_sharing", "Pages that are saved."),
    "pages_to_scan": gauge("pages_to_scan", "Pages looked at before a rest."),
    "pages_unshared": gauge("pages_unshared", "Pages that are looked at and equal to none."),
    "pages_volatile": gauge("pages_volatile", "Pages that change too fast."),
    "run": gauge("run", "Whether it runs: 0 no, 1 yes, 2 no and all is parted."),
    "sleep_millisecs": (Metric("node_ksmd_sleep_seconds", Kind.GAUGE, "Time of a rest.", "seconds"), 1000),
}
"""The metric of each file, and how many of its units make one of the metric's."""


class Ksmd:
    def __init__(self) -> None:
        self._shape: Shape[str] = Shape(entry)

    def collect(self, host: Host) -> Iterator[Block]:
        values = {file: number(host, f"{FOLDER}/{file}") for file in FILES}
        found = {file: value / FILES[file][1] for file, value in values.items() if value is not None}
        if not found:
            raise FileNotFoundError(f"{host.sysfs}/{FOLDER}: not in this kernel")
        yield self._shape.block(found)


def entry(file: str) -> Entry:
    return FILES[file][0].at()
