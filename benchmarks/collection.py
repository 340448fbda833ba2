"""Collection: CPU for each sample, from the kernel's files into the head.

Beside psutil on the same sources, and beside the kernel alone: pread(2) of the same files, nothing parsed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.alternate import Figures, alternate
from benchmarks.host import Watched
from benchmarks.options import Options
from benchmarks.row import Row
from monitor.collect import Host
from monitor.collect.filesystem import Filesystem
from monitor.storage import Matcher

REFRESHES = 10
"""Rounds over the file systems of one run."""
AIM = 1.7
"""Microseconds for a sample of all default collectors."""
WARM = 5
"""Passes before those that count: the first ones make the layouts and wait for the file systems."""


def rows(options: Options) -> Iterator[Row]:
    """Paced, as a service pays it (others use the caches in between), and back to back."""
    paces = (("paced", options.pace), ("back to back", 0.0))
    contestants = {name: measured(options.passes, pace) for name, pace in paces}
    found = alternate(options.runs, contestants)
    for name, figures in found.items():
        ours, samples = figures["pass"], figures["samples"]
        title = f"collection, {name}"
        yield Row(f"{title}: a sample", ours / samples, "us", "psutil, a value", figures["value"], most=AIM)
        whole = f"{title}: a pass of {samples:.0f} samples"
        yield Row(whole, ours, "us", f"psutil, {figures['values']:.0f} values", figures["psutil"])
        yield Row(whole, ours, "us", "kernel alone, the same files", figures["kernel"])
    share = (found["paced"]["pass"] + found["paced"]["refresh"]) / 1e4
    yield Row("collection: share of a core at one pass a second, file systems too", share, "%")


def measured(passes: int, pace: float) -> Callable[[], Figures]:
    return lambda: figures(passes, pace)


def figures(passes: int, pace: float) -> Figures:
    """Microseconds of CPU of one pass each of ours, of psutil and of the kernel alone, in turn."""
    watched = Watched(Options.pace)
    watched.passes(WARM)
    watched.pace = pace
    places = mount_points(watched)
    psutils, kernels = Timed(lambda: same_sources(places)), Timed(lambda: read_all(watched.files))

    def others() -> None:
        psutils()
        kernels()

    watched.passes(passes, others)
    return {
        "pass": median(watched.cpu) * 1e6,
        "samples": watched.samples,
        "psutil": median(psutils.cpu) * 1e6,
        "values": count(psutils.result),
        "value": median(psutils.cpu) * 1e6 / count(psutils.result),
        "kernel": median(kernels.cpu[1:]) * 1e6,
        "refresh": asyncio.run(refresh()),
    }


class Timed:
    """A function and the CPU seconds of each of its calls."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.cpu: list[float] = []
        self.result: object = None

    def __call__(self) -> None:
        began = time.process_time()
        self.result = self.work()
        self.cpu.append(time.process_time() - began)


def same_sources(places: list[str]) -> list[Any]:
    """What psutil has of the sources that our collectors read."""
    return [
        psutil.cpu_times(percpu=True),
        psutil.cpu_stats(),
        psutil.getloadavg(),
        psutil.boot_time(),
        psutil.virtual_memory(),
        psutil.swap_memory(),
        psutil.disk_io_counters(perdisk=True),
        [psutil.disk_usage(place) for place in places],
        psutil.net_io_counters(pernic=True),
    ]


def read_all(files: Host) -> None:
    """The files that the collectors keep open, each read once."""
    for descriptor, size in files._open.values():
        os.pread(descriptor, size, 0)


def count(result: object) -> int:
    """Numbers in a result of psutil."""
    if isinstance(result, dict):
        return sum(map(count, result.values()))
    return sum(map(count, result)) if isinstance(result, list | tuple) else 1


def mount_points(watched: Watched) -> list[str]:
    """Those that our collector asked."""
    sizes = (Matcher("__name__", "=", "node_filesystem_size_bytes"),)
    found = watched.service.head.series(sizes, watched.now - 1, watched.now)
    return [dict(labels)["mountpoint"] for labels in found]


async def refresh() -> float:
    """Microseconds of CPU that the file systems cost each second, in this process and in the worker."""
    collector, files = Filesystem(), Host()
    await collector.refresh(files)  # Starts the worker.
    began = time.process_time() + children_cpu()
    for _ in range(REFRESHES):
        files.fresh()
        await collector.refresh(files)
    spent = time.process_time() + children_cpu() - began
    await collector.close()
    files.close()
    return spent / REFRESHES / collector.every * 1e6


def children_cpu() -> float:
    """CPU seconds of the processes that this one started."""
    children = [child.pid for child in psutil.Process().children()]
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in children) / 1e9
