"""What the kernel counts since boot: the lines of /proc/stat that are not a core's.

proc(5).  `intr` and `softirq` begin with their sum; `btime` is the boot in Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.table import Cell, Table, is_number
from monitor.model import Block, Kind, Metric

METRICS = {
    "intr": Metric("node_intr_total", Kind.COUNTER, "Interrupts served since boot."),
    "ctxt": Metric("node_context_switches_total", Kind.COUNTER, "Context switches since boot."),
    "btime": Metric("node_boot_time_seconds", Kind.GAUGE, "When the host booted, in Unix time.", "seconds"),
    "processes": Metric("node_forks_total", Kind.COUNTER, "Processes and threads begun since boot."),
    "procs_running": Metric("node_procs_running", Kind.GAUGE, "Tasks that run or wait for a CPU."),
    "procs_blocked": Metric("node_procs_blocked", Kind.GAUGE, "Processes that wait for I/O."),
}
SOFTIRQS = Metric("node_softirqs_total", Kind.COUNTER, "Soft interrupts handled since boot, by what for.")
VECTORS = (
    "hi",
    "timer",
    "net_tx",
    "net_rx",
    "block",
    "block_iopoll",
    "tasklet",
    "sched",
    "hrtimer",
    "rcu",
)
"""Linux, include/linux/interrupt.h, in the order of the line `softirq` behind its sum."""


class Stat:
    def __init__(self) -> None:
        self._table = Table(cells)

    def collect(self, host: Host) -> Iterator[Block]:
        _, _, rest = host.proc("stat").partition("\nintr ")
        # Thousands of numbers, one for each interrupt, stand between the sum and the next line.
        interrupts, _, counts = rest.partition("\n")
        yield self._table.block(f"intr {interrupts.partition(' ')[0]}\n{counts}")


def cells(words: list[str]) -> Iterator[Cell]:
    """The number behind each name, and those of the soft interrupts."""
    for name, metric in METRICS.items():
        if name not in words[:-1]:
            raise ValueError(f"stat: no line {name!r} with a number")
        yield Cell(metric.at(), words.index(name) + 1)
    if "softirq" in words:
        start = words.index("softirq") + 2
        for place, vector in enumerate(VECTORS, start):
            if not is_number("".join(words[place : place + 1])):
                raise ValueError(f"stat: {len(VECTORS)} numbers expected behind the sum of softirq")
            yield Cell(SOFTIRQS.at(vector=vector), place)
