"""Traffic of the network devices: /proc/net/dev, and what the kernel dropped for want of a protocol.

Linux, net/core/net-procfs.c: eight columns received and eight sent, bytes and packets since the device
came.  /sys/class/net/<device>/statistics/rx_nohandler is one number.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from monitor.collect.exclude import excluder
from monitor.collect.host import Host
from monitor.collect.table import Cell, Table
from monitor.model import Block, Kind, Layout, Metric

DEVICES_EXCLUDE = ""
RECEIVE = ("bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast")
TRANSMIT = ("bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed")


def metric(field: str) -> Metric:
    """The metric of a column."""
    unit = "bytes" if field.endswith("_bytes") else ""
    return Metric(
        f"node_network_{field}_total", Kind.COUNTER, f"{field} of a network device since it came.", unit
    )


COLUMNS = tuple(
    metric(f"{way}_{field}")
    for way, fields in (("receive", RECEIVE), ("transmit", TRANSMIT))
    for field in fields
)
NOHANDLER = metric("receive_nohandler")


class Netdev:
    """All devices but those whose name matches a pattern; an empty one leaves out none."""

    def __init__(self, devices_exclude: str = DEVICES_EXCLUDE) -> None:
        self._excluded = excluder(devices_exclude)
        self._table = Table(self._cells)

    def collect(self, host: Host) -> Iterator[Block]:
        block = self._table.block(host.proc("net/dev"))
        yield block
        counts = {}
        for device in devices(block.layout):
            try:
                counts[device] = float(host.sys(f"class/net/{device}/statistics/rx_nohandler"))
            except OSError:  # Older than Linux 4.6, gone since, or of another network namespace.
                continue
        yield Block(unhandled(tuple(counts)), list(counts.values()))

    def _cells(self, words: list[str]) -> Iterator[Cell]:
        starts = [place for place, word in enumerate(words) if word.endswith(":")]
        for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
            device = words[start].removesuffix(":")
            if end - start != 1 + len(COLUMNS):
                raise ValueError(
                    f"net/dev: {len(COLUMNS)} numbers expected for {device}, found {end - start - 1}"
                )
            if not self._excluded(device):
                for place, column in enumerate(COLUMNS, start + 1):
                    yield Cell(column.at(device=device), place)


@lru_cache(maxsize=16)
def devices(layout: Layout) -> tuple[str, ...]:
    """The devices of a layout, in its order."""
    return tuple(dict.fromkeys(dict(series.labels)["device"] for series in layout.series))


@lru_cache(maxsize=16)
def unhandled(devices: tuple[str, ...]) -> Layout:
    """The layout of the one number that is not in the table."""
    return Layout(NOHANDLER.at(device=device) for device in devices)
