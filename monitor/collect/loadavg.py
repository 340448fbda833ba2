"""Tasks that run or wait for a CPU or a disk, averaged: /proc/loadavg.

proc(5): the first three numbers are the averages over 1, 5 and 15 minutes.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.model import Block, Kind, Layout, Metric

AVERAGES = Layout(
    Metric(f"node_load{minutes}", Kind.GAUGE, f"Load average over {minutes} min.").at()
    for minutes in (1, 5, 15)
)


class Loadavg:
    def collect(self, host: Host) -> Iterator[Block]:
        words = host.proc("loadavg").split(maxsplit=len(AVERAGES))
        if len(words) < len(AVERAGES):
            raise ValueError(f"loadavg: three averages expected, found {words}")
        yield Block(AVERAGES, list(map(float, words[: len(AVERAGES)])))
