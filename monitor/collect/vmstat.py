"""Counts of the virtual memory: /proc/vmstat, a name and a number on each line.

Linux, mm/vmstat.c (vmstat_text).  What counts and what measures is not said there, so the kind is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.lines import Lines
from monitor.model import Block, Kind, Metric

FIELDS = r"^(oom_kill|pgpg|pswp|pg.*fault).*"


class Vmstat:
    """The fields whose name matches a pattern."""

    def __init__(self, fields: str = FIELDS) -> None:
        wanted = re.compile(fields).search
        self._lines = Lines(lambda name: metric(name) if wanted(name) else None)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._lines.block(host.proc("vmstat"))


def metric(name: str) -> Metric:
    """The metric of a field."""
    return Metric(f"node_vmstat_{name}", Kind.UNKNOWN, f"{name} of /proc/vmstat.")
