"""What is told of the collectors themselves: whether each has data, how long it took, and its CPU in all."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.model import Block, Kind, Layout, Metric

OFFSET = Metric(
    "monitor_clock_offset_seconds",
    Kind.GAUGE,
    "How far timestamps are ahead of the wall clock, since that was set back.",
    "seconds",
)
SUCCESS = Metric("node_scrape_collector_success", Kind.GAUGE, "Whether a collector has data.")
DURATION = Metric("node_scrape_collector_duration_seconds", Kind.GAUGE, "Time a collector took.", "seconds")
CPU = Metric(
    "monitor_collector_cpu_seconds_total", Kind.COUNTER, "CPU time of the service for a collector.", "seconds"
)


class Status:
    """Numbers that are noted when they change, as most collectors have nothing new in most passes."""

    def __init__(self, collectors: Iterable[str]) -> None:
        names = tuple(collectors)
        told = (metric.at(collector=name) for metric in (SUCCESS, DURATION, CPU) for name in names)
        self._layout = Layout([*told, OFFSET.at()])
        self._count = len(names)
        self._values = [0.0] * (3 * self._count)

    def note(self, place: int, good: bool, seconds: float, cpu: float) -> None:
        """How the collector at that place is, and the seconds that it took, of time now and of CPU in all."""
        values, count = self._values, self._count
        values[place], values[count + place], values[2 * count + place] = float(good), seconds, cpu

    def block(self, ahead: float) -> Block:
        """All as it is noted; `ahead` is the offset of the clock in seconds."""
        return Block(self._layout, [*self._values, ahead])
