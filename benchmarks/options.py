"""How large and how long the benchmarks are."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The defaults take some minutes; the tests use small ones."""

    runs: int = 3
    """Runs of each contestant, in turn; what is reported is their median."""
    clients: tuple[int, ...] = (1000,)
    """Viewers of the fan-out, one round for each number."""
    boards: int = 200
    """Distinct boards that the viewers are spread over."""
    stalled: int = 100
    """Viewers that stop reading."""
    stalled_seconds: float = 60
    seconds: float = 10
    """Of one fan-out measurement: as long as a ping interval, so that each viewer is pinged once."""
    settle: float = 3
    """Seconds between the last handshake and the measurement."""
    minutes: float = 1
    """After which resident memory is read."""
    passes: int = 100
    """Collection passes and ticks of one run."""
    pace: float = 0.06
    """Seconds between two of them, in which others use the caches."""
    processes: int = 1_000
    """That sleep, beside those of this host."""
    rows: int = 330
    """Scrapes in the head before ticks are measured: the look-back of five minutes, and some."""
    queries: int = 5
    """Queries of the board shown alone, the dearest."""
    idle: tuple[int, ...] = tuple(range(0, 2001, 250))
    """Viewers at which memory is read, one number after the other."""
    crowd: int = 200
    """Viewers of the curves over time."""
    soak: float = 10
    """Minutes for which they come and go."""
    recording: Path | None = None
    """Real series for the history; without one this host is recorded first."""
    recorded: int = 900
    """Rows of that."""
    interval: float = 1.0
    """Seconds between two of them."""
    hours: float = 24
    """Of history, a row a second."""
    live: float = 16
    """Minutes that rows come to the history live: a slot is closed in them."""
    anchors: tuple[str, ...] = ("Prometheus", "VictoriaMetrics", "Netdata")
    """What runs beside our history, where it is installed."""
    slot: int = 900
    """Rows of a slot that is closed while ticks are watched."""
    copies: int = 10
    """Of each series in it."""
    kills: int = 5
    """Of each engine of history."""
    agents: float = 60
    """Seconds for which agents watch the host side by side."""
    beside: tuple[str, ...] = ("node_exporter", "Netdata")
    """Which agents run beside ours, where they are installed."""
    calm: float = 20
    """Seconds between two of them at most."""
    visitors: int = 1_000_000
    """Series that come and go in a month."""
    age: float = 1
    """Of what is kept by default, the share that is stored when the service starts."""
    images: Path | None = None
    """The folder that curves are drawn into; none are where there is none."""


def progress(text: str) -> None:
    """Say on stderr what goes on; stdout is for the table."""
    print(f"  {text}", file=sys.stderr, flush=True)
