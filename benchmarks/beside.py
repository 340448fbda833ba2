"""Healthy viewers beside many that stopped reading: how much later the healthy get their ticks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import generator
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import monitor

HEALTHY = 50
SETTLE = 6
"""Times `options.settle`: until the credit of those who read nothing is used up."""
STALLED = 10
"""Times `options.stalled`."""
PATIENT = {"no_drain": "1h", "ping_interval": "1h", "ping_timeout": "1h"}
"""So that the service keeps the stalled for as long as the measurement lasts."""
FIGURES = {"lat_ms_p50": "half of them", "lat_ms_p99": "99 of 100"}


def rows(options: Options) -> Iterator[Row]:
    stalled = STALLED * options.stalled
    alone: dict[str, list[float]] = {name: [] for name in FIGURES}
    beside: dict[str, list[float]] = {name: [] for name in FIGURES}
    with generator.built("wsload") as programs:
        for run in range(options.runs):
            for others, found in ((0, alone), (stalled, beside)):
                progress(f"run {run + 1}: {HEALTHY} healthy viewers beside {others} that stopped reading")
                report = measure(programs["wsload"], others, options)
                for name in FIGURES:
                    found[name].append(report[name])
                    progress(f"a sample has reached {FIGURES[name]} after {report[name]:.1f} ms")
    for name, share in FIGURES.items():
        text = f"{HEALTHY} viewers beside {stalled} that stopped reading: a sample has reached {share}"
        yield Row(text, median(beside[name]), "ms", "without", median(alone[name]), ratio_most=2)


def measure(program: str, stalled: int, options: Options) -> dict[str, float]:
    share = str(100 * stalled / (HEALTHY + stalled))
    stall = ("--stall-pct", share, "--stall-after", "0", "--rcvbuf", "4096") if stalled else ()
    times = ("--settle", str(SETTLE * options.settle), "--duration", str(options.seconds))
    with TemporaryDirectory(prefix="bench-") as folder, monitor(Path(folder), PATIENT) as server:
        server.wait_until("/readyz")
        viewers = (*generator.VIEWERS, *generator.STAMPS, *stall, *times)
        return generator.load(program, server, HEALTHY + stalled, *viewers)
