"""Viewers spread over many boards: they should cost what the evaluations and the writes cost by themselves.

Each board has a dozen of the overview's queries, some in common with other boards, and two of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import generator
from benchmarks.alternate import Figures, alternate
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import monitor
from monitor import parts
from monitor.config import Settings

QUERIES = 12
"""Of the overview's in each board."""
STRIDE = 7
"""By so many queries each board is ahead of the one before."""
SUBSCRIBE = '{"type":"subscribe","request":1,"board":"board-%d","range":1000}'
SILENT = {
    "ping_interval": "1h",
    "park_after": "1h",
    "credit_ticks": "10000",
    "credit_bytes": "1MiB",
}
"""No ping within the measurement, and credit for all of it, so that viewers only read."""
AIM = 1.2


def rows(options: Options) -> Iterator[Row]:
    with generator.built("wsload") as programs:
        for clients in options.clients:
            boards = min(options.boards, clients)
            progress(f"{clients} viewers of {boards} boards")
            spread = partial(measure, programs["wsload"], boards, options)
            contestants = {
                "all": partial(spread, clients, boards),
                "evaluations": partial(spread, boards, boards),
                "writes": partial(spread, clients, 1),
                "one": partial(spread, 1, 1),
            }
            yield from report(clients, boards, alternate(options.runs, contestants))


def report(clients: int, boards: int, found: dict[str, dict[str, float]]) -> Iterator[Row]:
    spent = {name: figures["cpu"] for name, figures in found.items()}
    title = f"{clients:,} viewers of {boards} boards"
    parts_of_it = f"{boards} evaluations and {clients:,} writes"
    apart = spent["evaluations"] + spent["writes"] - spent["one"]
    yield Row(f"{title}: CPU a second", spent["all"], "ms", parts_of_it, apart, ratio_most=AIM)
    yield Row(f"{title}: messages", found["all"]["msgs_per_s"], "1/s", "viewers", float(clients))
    name = f"{boards} viewers, one for each board: CPU a second"
    yield Row(name, spent["evaluations"], "ms", "one viewer", spent["one"])
    late = "lat_ms_p99"
    name = f"{title}: from the sample's second to the last but 1%"
    yield Row(name, found["all"][late], "ms", "of one board", found["writes"][late])


def measure(program: str, known: int, options: Options, clients: int, boards: int) -> Figures:
    """So many viewers of the first of the boards that the service knows."""
    times = ("--settle", str(options.settle), "--duration", str(options.seconds))
    asking = ("--path", "/live", "--subprotocol", "monitor.v1", "--send", SUBSCRIBE, "--rotate", str(boards))
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with monitor(folder, SILENT, config=configured(folder, known)) as server:
            server.wait_until("/readyz")
            compressed = ("--deflate", "--inflate")
            report = generator.load(program, server, clients, *asking, *compressed, *generator.STAMPS, *times)
    cpu = 1000 * float(report["srv_cpu_s"]) / float(report["measured_s"])
    return {"cpu": cpu, **generator.figures(report, ("msgs_per_s", "lat_ms_p99"))}


def configured(folder: Path, boards: int) -> Path:
    """A config file with so many boards; JSON is YAML."""
    overview = [query for board in Settings().boards for query in parts.queries(board)]
    held = [board(number, overview) for number in range(boards)]
    file = folder / "config.yaml"
    file.write_text(json.dumps({"boards": held}), encoding="utf-8")
    return file


def board(number: int, overview: list[str]) -> dict[str, Any]:
    shared = [overview[(number * STRIDE + place) % len(overview)] for place in range(QUERIES)]
    own = [f"avg_over_time(node_load1[{10 + number}s])", f"node_procs_running > bool {number}"]
    panels = [{"title": query[:60], "queries": [{"query": query}]} for query in (*shared, *own)]
    return {"name": f"board-{number}", "title": f"Board {number}", "panels": panels}
