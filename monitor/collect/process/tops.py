"""Those at the top now and then, as samples: so that the table of a past moment can be shown.

Each is a set of series of its own, named by pid, start, command, user and unit.  What they used is worked out
here, over the time since the samples before: who is at the top changes too often for rates of counters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import nlargest

from monitor.collect.process.process import TICKS, Process
from monitor.collect.process.roster import Roster
from monitor.collect.process.scan import Scan
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Layout, Metric


def gauge(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"monitor_process_{field}", Kind.GAUGE, text, unit)


CPU = gauge("cpu_ratio", "Cores that a process kept busy.")
MEMORY = gauge("resident_memory_bytes", "Memory of a process.", "bytes")
THREADS = gauge("threads", "Threads of a process.")
READ = gauge("read_bytes_per_second", "Bytes that a process had read from storage in a second.")
WRITTEN = gauge("write_bytes_per_second", "Bytes that a process had written to storage in a second.")
ALWAYS, WHERE_KNOWN = (CPU, MEMORY, THREADS), (READ, WRITTEN)
METRICS = (*ALWAYS, *WHERE_KNOWN)


class Use:
    """What a process did since the samples before."""

    __slots__ = ("cpu", "process", "read", "written")

    def __init__(self, process: Process, seconds: float) -> None:
        self.process = process
        self.cpu = max(0, process.ticks - (process.kept_ticks or 0)) / TICKS / seconds
        self.read = self.written = 0.0
        if process.read is not None and process.written is not None:
            self.read = max(0, process.read - (process.kept_read or 0)) / seconds
            self.written = max(0, process.written - (process.kept_written or 0)) / seconds


class Tops:
    """The first `top` by CPU, by memory and by bytes to and from storage, all of them together."""

    def __init__(self, scan: Scan, roster: Roster, top: int) -> None:
        self._scan = scan
        self._roster = roster
        self._top = top
        self._at: float | None = None
        self._newest = 0
        """Start of the newest process then, in ticks after boot."""
        self._shape: tuple[tuple[tuple[str, str], ...], ...] = ()
        self._layout = Layout(())

    def block(self) -> Block | None:
        """Those at the top since the last time; None the first time, for want of one before."""
        scan = self._scan
        seconds, self._at = scan.at - (self._at or 0.0), scan.at
        living = list(scan.living.values())
        uses = [Use(process, seconds) for process in living if self._comparable(process)]
        for process in living:
            process.kept_ticks, process.kept_read, process.kept_written = (
                process.ticks,
                process.read,
                process.written,
            )
        first, self._newest = not self._newest, max((each.started for each in living), default=0)
        return None if first else self._told(list(self._chosen(uses)))

    def _comparable(self, process: Process) -> bool:
        """Not one that is older than the samples before and was not seen then."""
        return process.kept_ticks is not None or process.started >= self._newest

    def _chosen(self, uses: list[Use]) -> Iterator[Use]:
        keys: tuple[Callable[[Use], float], ...] = (
            lambda use: use.cpu,
            lambda use: use.process.resident,
            lambda use: use.read + use.written,
        )
        chosen = {use.process.pid: use for key in keys for use in nlargest(self._top, uses, key) if key(use)}
        yield from (chosen[pid] for pid in sorted(chosen))

    def _told(self, uses: list[Use]) -> Block:
        shape = tuple(self._labels(use.process) for use in uses)
        if shape != self._shape:
            self._shape, self._layout = shape, Layout(entries(shape))
        values: list[float] = []
        for use in uses:
            process = use.process
            values += (use.cpu, process.resident, process.threads)
            if process.read is not None:
                values += (use.read, use.written)
        return Block(self._layout, values)

    def _labels(self, process: Process) -> tuple[tuple[str, str], ...]:
        roster = self._roster
        labels = {
            "pid": str(process.pid),
            "start": str(roster.start(process) // 1000),
            "command": process.comm,
            "user": roster.user(process),
            "unit": process.unit,
            "io": "" if process.read is None else "1",
        }
        return tuple((name, value) for name, value in labels.items() if value)


def entries(shape: Iterable[tuple[tuple[str, str], ...]]) -> Iterator[Entry]:
    """The series of each, in the order of its values."""
    for known in shape:
        labels = dict(known)
        metrics = METRICS if labels.pop("io", "") else ALWAYS
        yield from (metric.at(**labels) for metric in metrics)
