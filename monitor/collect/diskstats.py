"""Work of the block devices: /proc/diskstats, a line of columns for each device since boot.

Linux, Documentation/admin-guide/iostats.rst: sectors are of 512 bytes whatever the device, times are in
milliseconds; columns 12 to 15 came with Linux 4.18 and 16 to 17 with 5.5.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.disk_info import Device, DiskInfo, rotational
from monitor.collect.exclude import excluder
from monitor.collect.host import Host
from monitor.collect.table import Cell, Table, is_number, words_of
from monitor.model import Block, Kind, Metric

DEVICES_EXCLUDE = r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$"
MILLISECONDS = 1000
SECTORS = 1 / 512


def counter(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_disk_{field}_total", Kind.COUNTER, text, unit)


COLUMNS: tuple[tuple[Metric, float], ...] = (
    (counter("reads_completed", "Reads done."), 1),
    (counter("reads_merged", "Reads joined to another."), 1),
    (counter("read_bytes", "Bytes read.", "bytes"), SECTORS),
    (counter("read_time_seconds", "Time of all reads.", "seconds"), MILLISECONDS),
    (counter("writes_completed", "Writes done."), 1),
    (counter("writes_merged", "Writes joined to another."), 1),
    (counter("written_bytes", "Bytes written.", "bytes"), SECTORS),
    (counter("write_time_seconds", "Time of all writes.", "seconds"), MILLISECONDS),
    (Metric("node_disk_io_now", Kind.GAUGE, "Requests under way."), 1),
    (counter("io_time_seconds", "Time with at least one request under way.", "seconds"), MILLISECONDS),
    (
        counter("io_time_weighted_seconds", "Time of requests, each counted for itself.", "seconds"),
        MILLISECONDS,
    ),
    (counter("discards_completed", "Discards done."), 1),
    (counter("discards_merged", "Discards joined to another."), 1),
    (counter("discarded_sectors", "Sectors discarded."), 1),
    (counter("discard_time_seconds", "Time of all discards.", "seconds"), MILLISECONDS),
    (counter("flush_requests", "Flushes done."), 1),
    (counter("flush_requests_time_seconds", "Time of all flushes.", "seconds"), MILLISECONDS),
)


class Diskstats:
    """All devices but those whose name matches a pattern; an empty one leaves out none."""

    def __init__(self, devices_exclude: str = DEVICES_EXCLUDE) -> None:
        self._excluded = excluder(devices_exclude)
        self._table = Table(self._cells)
        self._info = DiskInfo()

    def collect(self, host: Host) -> Iterator[Block]:
        text = host.proc("diskstats")
        block = self._table.block(text)
        yield block
        yield self._info.block(host, block.layout, lambda: self._devices(host, words_of(text)))

    def _devices(self, host: Host, words: list[str]) -> list[Device]:
        return [
            Device(
                words[start],
                major=words[start - 2],
                minor=words[start - 1],
                rotational=rotational(host, words[start]),
            )
            for start, _ in rows(words)
            if not self._excluded(words[start])
        ]

    def _cells(self, words: list[str]) -> Iterator[Cell]:
        for start, width in rows(words):
            if not self._excluded(words[start]):
                for place, (metric, per) in enumerate(COLUMNS[:width], start + 1):
                    yield Cell(metric.at(device=words[start]), place, per)


def rows(words: list[str]) -> Iterator[tuple[int, int]]:
    """Where the name of each device stands, and how many columns follow it.

    A line is a major number, a minor number, a name and the columns; the kernel writes all alike.
    """
    starts = [place for place, word in enumerate(words) if not is_number(word)]
    ends = [*(start - 2 for start in starts[1:]), len(words)]
    widths = {end - start - 1 for start, end in zip(starts, ends, strict=True)}
    if starts[:1] not in ([2], []) or len(widths) > 1:
        raise ValueError(f"diskstats: lines of one length expected, found {sorted(widths)} columns")
    for start, end in zip(starts, ends, strict=True):
        yield start, end - start - 1
