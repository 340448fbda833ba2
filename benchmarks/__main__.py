"""Run the benchmarks: `make bench`, or `python -m benchmarks --only tick --runs 5`.

The table goes to stdout, what goes on to stderr.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import (
    agent,
    beside,
    boards,
    collection,
    curves,
    fanout,
    history,
    memory,
    opening,
    processes,
    stalled,
    start,
    tick,
    wire,
    workers,
)
from benchmarks.generator import CompilerError
from benchmarks.options import Options, progress
from benchmarks.row import Row, table

BENCHMARKS: Mapping[str, Callable[[Options], Iterator[Row]]] = {
    "collection": collection.rows,
    "processes": processes.rows,
    "tick": tick.rows,
    "wire": wire.rows,
    "start": start.rows,
    "memory": memory.rows,
    "fanout": fanout.rows,
    "boards": boards.rows,
    "stalled": stalled.rows,
    "beside": beside.rows,
    "workers": workers.rows,
    "curves": curves.rows,
    "history": history.rows,
    "opening": opening.rows,
    "agent": agent.rows,
}
"""By name, the short ones first."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run those asked for and print their rows; 1 where one cannot run here."""
    parsed = parser().parse_args(arguments)
    options = Options(
        runs=parsed.runs,
        clients=tuple(parsed.clients),
        minutes=parsed.minutes,
        seconds=parsed.seconds,
        soak=parsed.soak,
        recording=parsed.recording,
        hours=parsed.hours,
        live=parsed.live,
        agents=parsed.agents,
        images=parsed.images,
    )
    rows: list[Row] = []
    for name in parsed.only or BENCHMARKS:
        progress(f"== {name}")
        try:
            rows.extend(BENCHMARKS[name](options))
        except CompilerError as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 1
    print(
        f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
    print(f"Medians of {options.runs} runs.\n\n{table(rows)}")
    if parsed.json:
        parsed.json.write_text(json.dumps([row.fields() for row in rows], indent=1) + "\n", encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    held = Options()
    whole = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    whole.add_argument("--only", action="append", choices=BENCHMARKS, help="this one; may be given again")
    whole.add_argument("--runs", type=int, default=held.runs, help="runs of each contestant (%(default)s)")
    whole.add_argument(
        *("--clients",), type=int, nargs="+", default=held.clients, help="viewers of the fan-out (1000)"
    )
    whole.add_argument(
        *("--seconds",), type=float, default=held.seconds, help="of one fan-out measurement (%(default)s)"
    )
    whole.add_argument(
        *("--minutes",), type=float, default=held.minutes, help="before memory is read (%(default)s)"
    )
    whole.add_argument(
        *("--soak",), type=float, default=held.soak, help="minutes of viewers coming and going (%(default)s)"
    )
    whole.add_argument("--recording", type=Path, metavar="FILE", help="real series, of benchmarks.record")
    whole.add_argument("--hours", type=float, default=held.hours, help="of history (%(default)s)")
    whole.add_argument(
        *("--live",), type=float, default=held.live, help="minutes of live history (%(default)s)"
    )
    whole.add_argument(
        *("--agents",), type=float, default=held.agents, help="seconds of agents side by side (%(default)s)"
    )
    whole.add_argument("--images", type=Path, metavar="FOLDER", help="draw the curves of memory there")
    whole.add_argument("--json", type=Path, metavar="FILE", help="write the rows there as well")
    return whole


if __name__ == "__main__":
    sys.exit(main())
