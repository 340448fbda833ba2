"""All processes of a host looked at again: CPU for each, beside psutil asked for the same of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

import psutil

from benchmarks.alternate import Figures, alternate
from benchmarks.crowd import crowd
from benchmarks.options import Options
from benchmarks.row import Row
from monitor.collect import Host
from monitor.collect.process.scan import Scan

LOOKS = 20
"""Of one run; the first, which opens the files, does not count."""
ASKED = ["name", "status", "ppid", "cpu_times", "memory_info", "num_threads", "io_counters", "create_time"]
"""What a look of ours has each time."""
AIM = 12.0
"""Microseconds."""


def rows(options: Options) -> Iterator[Row]:
    with crowd(options.processes):
        found = alternate(options.runs, {"ours": ours, "psutil": by_psutil})
    mine, theirs = found["ours"], found["psutil"]
    title = f"processes: a look, each of {mine['processes']:.0f}"
    yield Row(title, mine["cpu"], "us", "psutil, the same of each", theirs["cpu"], most=AIM)


def ours() -> Figures:
    """Microseconds of CPU for each process of a look that is not the first, and how many there are."""
    scan, host = Scan(40), Host()

    def look() -> int:
        host.fresh()
        scan.look(host)
        return len(scan.living)

    found = looked(look)
    scan.close()
    host.close()
    return found


def by_psutil() -> Figures:
    return looked(lambda: len([process.info for process in psutil.process_iter(ASKED)]))


def looked(look: Callable[[], int]) -> Figures:
    costs, count = [], look()
    for _ in range(LOOKS):
        began = time.process_time()
        count = look()
        costs.append((time.process_time() - began) / count)
    return {"cpu": median(costs) * 1e6, "processes": count}
