"""What differs from node_exporter, and why: the tests allow this and no more, and docs/metrics.md says it."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """Series of one side whose names match a pattern."""

    names: str
    """A regular expression for the whole name."""
    reason: str


LEFT_OUT = (Difference("node_exporter_.*|node_scrape_collector_.*", "they are about node_exporter itself"),)
"""What node_exporter 1.5 gives and this service does not."""

MORE = (
    Difference(
        "node_netstat_TcpExt_(TCPOFOQueue|TCPRcvQDrop)",
        "node_exporter keeps these fields of netstat by default since 1.6",
    ),
    Difference("node_cpu_online", "node_exporter has it since 1.6"),
)
"""What this service gives beyond node_exporter 1.5."""

LABELS: dict[str, tuple[str, str]] = {}
"""By name of a metric: a label that node_exporter 1.5 does not have, and why it is there."""

TYPES: dict[str, str] = {}
"""By name of a metric: why its type is another than in node_exporter 1.5."""

OPTIONS = ("--collector.cpu.info", "--collector.stat.softirq")
"""What this service gives by default and node_exporter only on demand."""
