"""Time that tasks ran on each core and waited for it: the cpu lines of /proc/schedstat, in ns.

Linux, Documentation/scheduler/sched-stats.rst: the last three of nine numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.table import Cell, Table
from monitor.model import Block, Kind, Metric

NANOSECONDS = 1_000_000_000
COLUMNS = (
    (
        7,
        Metric("node_schedstat_running_seconds_total", Kind.COUNTER, "Time that tasks ran.", "seconds"),
        NANOSECONDS,
    ),
    (
        8,
        Metric("node_schedstat_waiting_seconds_total", Kind.COUNTER, "Time that tasks waited.", "seconds"),
        NANOSECONDS,
    ),
    (9, Metric("node_schedstat_timeslices_total", Kind.COUNTER, "Turns that tasks had."), 1),
)
"""The place behind the name of the core, and how many of its units make one of ours."""


class Schedstat:
    def __init__(self) -> None:
        self._table = Table(cells)

    def collect(self, host: Host) -> Iterator[Block]:
        lines = host.proc("schedstat").splitlines()
        yield self._table.block("\n".join(line for line in lines if line.startswith("cpu")))


def cells(words: list[str]) -> Iterator[Cell]:
    """The columns of each core."""
    starts = [place for place, word in enumerate(words) if word.startswith("cpu")]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        if end - start <= COLUMNS[-1][0]:
            raise ValueError(f"schedstat: 9 numbers expected behind {words[start]}, found {end - start - 1}")
        for place, metric, per in COLUMNS:
            yield Cell(metric.at(cpu=words[start].removeprefix("cpu")), start + place, per)
