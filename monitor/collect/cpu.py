"""Time that each core spent in each mode: the cpu lines of /proc/stat, in ticks of 1/100 s since boot.

proc(5).  A guest's time is counted in `user` and `nice` as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.cpu_info import CpuInfo
from monitor.collect.host import Host
from monitor.collect.table import Cell, Table
from monitor.model import Block, Kind, Layout, Metric

SECONDS = Metric(
    "node_cpu_seconds_total", Kind.COUNTER, "Time that a core spent in a mode since boot.", "seconds"
)
GUEST = Metric(
    "node_cpu_guest_seconds_total",
    Kind.COUNTER,
    "Time that a core ran virtual machines, within its user and nice time.",
    "seconds",
)
COLUMNS = (
    *((SECONDS, mode) for mode in ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")),
    (GUEST, "user"),
    (GUEST, "nice"),
)
IDLE = 3
TICKS = 100
HOTPLUG = 3.0
"""Seconds: a core whose idle time falls back by more was taken out and put in again, and counts from 0."""


class Cpu:
    """The features and bugs to tell are those that match a pattern; an empty one matches none.

    Keeps what each core counted last: idle and iowait may step back by a tick (proc(5)), which a rate would
    take for a restart of the counter.
    """

    def __init__(self, flags_include: str = "", bugs_include: str = "") -> None:
        self._info = CpuInfo(flags_include, bugs_include)
        self._table = Table(cells)
        self._layout: Layout | None = None
        self._width = 0
        self._held: list[float] = []

    def collect(self, host: Host) -> Iterator[Block]:
        layout, values = self._table.block(host.proc("stat").partition("\nintr")[0])
        if layout is self._layout:
            self._held = risen(self._held, list(values), self._width)
        else:
            self._layout, self._held, self._width = layout, list(values), width(layout)
        yield Block(layout, self._held)
        yield from self._info.blocks(host)


def cells(words: list[str]) -> Iterator[Cell]:
    """The columns of each core's line."""
    starts = [place for place, word in enumerate(words) if word.startswith("cpu")]
    widths = {end - start for start, end in zip(starts, [*starts[1:], len(words)], strict=True)}
    if len(widths) != 1:
        raise ValueError(f"stat: cpu lines of one length expected, found {sorted(widths)} words")
    columns = COLUMNS[: widths.pop() - 1]
    for start in starts[1:]:  # The first line is the sum.
        core = words[start].removeprefix("cpu")
        for place, (metric, mode) in enumerate(columns, start + 1):
            yield Cell(metric.at(cpu=core, mode=mode), place, TICKS)


def width(layout: Layout) -> int:
    """How many columns each core has."""
    cores = sum(("mode", "idle") in series.labels for series in layout.series)
    return len(layout) // max(cores, 1)


def risen(held: list[float], values: list[float], width: int) -> list[float]:
    """The values, none below what was held, but for cores (`width` values each) that were plugged in anew."""
    higher = list(map(max, held, values))
    if higher == values:
        return values
    for start in range(0, len(values), width):
        if held[start + IDLE] - values[start + IDLE] > HOTPLUG:
            higher[start : start + width] = values[start : start + width]
    return higher
