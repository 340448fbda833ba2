"""Two processes that serve viewers, beside one: the CPU of the busier, for each message of all of them.

The load generator needs a core of its own, so on two cores nobody can see two processes at full speed.  What
limits them is the busier one: how much less it does for a message than one process alone is how much more
the two deliver once each has a core.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from urllib.request import urlopen

from benchmarks import generator
from benchmarks.alternate import Figures, alternate
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import PATIENCE, Server, monitor

EVERY = 0.1
"""Seconds between two looks at the processes."""
EDGE = 0.5
"""Seconds at the end of a measurement that are left out: the generator says goodbye in them."""
TWO = {"MONITOR_SERVER__WORKERS": "2"}
AIM = 1.7
"""Times as many messages from two."""


def rows(options: Options) -> Iterator[Row]:
    with generator.built("wsload") as programs:
        for clients in options.clients:
            progress(f"one process and two, {clients} viewers")
            found = alternate(
                options.runs,
                {
                    "one": partial(measure, programs["wsload"], clients, options, {}),
                    "two": partial(measure, programs["wsload"], clients, options, TWO),
                },
            )
            one, two = found["one"], found["two"]
            name = f"{clients:,} viewers of two processes: a message, the busier process"
            yield Row(name, two["busiest"], "us", "one process", one["busiest"], ratio_most=1 / AIM)
            name = f"{clients:,} viewers of two processes: a message, both together"
            yield Row(name, two["all"], "us", "one process", one["all"])


def measure(program: str, clients: int, options: Options, environment: Mapping[str, str]) -> Figures:
    """CPU for each message, in microseconds: of the busiest process, and of all."""
    with TemporaryDirectory(prefix="bench-") as folder, monitor(Path(folder), None, environment) as server:
        server.wait_until("/readyz")
        processes = [server.pid, *workers(server, 1 if environment else 0)]
        with Watch(processes) as watch:
            times = ("--settle", str(options.settle), "--duration", str(options.seconds))
            report = generator.load(program, server, clients, *generator.VIEWERS, "--deflate", *times)
        end = watch.samples[-1][0] - EDGE
        share = watch.between(end - options.seconds + 2 * EDGE, end)
    return {
        "busiest": max(share) * 1e6 / report["msgs_per_s"],
        "all": sum(share) * 1e6 / report["msgs_per_s"],
    }


def workers(server: Server, count: int) -> list[int]:
    """Their process ids, once so many of them serve."""
    while time.monotonic() - server.started < PATIENCE:
        with urlopen(f"{server.url}/metrics", timeout=PATIENCE) as answer:
            serving = answer.read().count(b"\nmonitor_worker_clients{")
        if serving == count:
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            return [int(pid) for pid in children if is_worker(pid)]
        time.sleep(0.1)
    raise TimeoutError(f"{count} workers do not serve after {PATIENCE} s")


def is_worker(pid: str) -> bool:
    return b"server.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()


class Watch:
    """Samples of time and each process's CPU seconds while the context lasts."""

    def __init__(self, processes: list[int]) -> None:
        self.processes = processes
        self.samples: list[tuple[float, list[float]]] = []
        self._end = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(EVERY):
            self.samples.append((time.monotonic(), [cpu(pid) for pid in self.processes]))

    def between(self, begin: float, end: float) -> list[float]:
        """CPU seconds a second of each process."""
        inside = [sample for sample in self.samples if begin <= sample[0] <= end]
        (began, first), (ended, last) = inside[0], inside[-1]
        return [(after - before) / (ended - began) for before, after in zip(first, last, strict=True)]


def cpu(pid: int) -> float:
    """CPU seconds of all threads of a process (proc(5), schedstat)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
