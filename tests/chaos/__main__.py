"""`python -m tests.chaos --runs 50`: so many runs, each with a seed of its own, and a table of them."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.faults import KINDS
from tests.chaos.history import Outcome, history, own_network

COLUMNS = (
    "seed",
    "seconds",
    "faults",
    "connections",
    "catch-ups",
    "silences",
    "jumps",
    "columns",
    "values",
    "mismatches",
)


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    options.add_argument("--runs", type=int, default=50, help="how many (50)")
    options.add_argument("--seed", type=int, default=1, help="of the first run; the others follow (1)")
    options.add_argument("--workers", type=int, default=1, help="processes of the service (1)")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # It, too, ends by way of what cleans up.
    outcomes: list[Outcome] = []
    failed = 0
    say("| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|")
    with own_network() as joined:
        for seed in range(chosen.seed, chosen.seed + chosen.runs):
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    outcome = asyncio.run(history(seed, Path(folder), joined, workers=chosen.workers))
                except (TimeoutError, AssertionError, ExceptionGroup) as error:
                    log = (Path(folder) / "service.log").read_text()[-2000:]
                    say(f"seed {seed} did not end: {error!r}", log)
                    failed += 1
                    continue
            outcomes.append(outcome)
            say(row(outcome, time.monotonic() - began), *outcome.mismatches[:10])
    say(summary(outcomes, failed))
    return int(failed > 0 or any(outcome.mismatches for outcome in outcomes))


def say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def row(outcome: Outcome, seconds: float) -> str:
    count = outcome.count
    cells = (
        outcome.seed,
        f"{seconds:.0f}",
        outcome.kinds.total(),
        outcome.connections,
        outcome.catch_ups,
        outcome.lost,
        outcome.jumps,
        count.columns,
        count.values,
        len(count.mismatches),
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def summary(outcomes: list[Outcome], failed: int) -> str:
    kinds = sum((outcome.kinds for outcome in outcomes), Counter[str]())
    counts = [outcome.count for outcome in outcomes]
    lines = {
        "runs": len(outcomes) + failed,
        "runs in which somebody did not come back": failed,
        "viewers": sum(outcome.viewers for outcome in outcomes),
        "connections": sum(outcome.connections for outcome in outcomes),
        "catch-ups": sum(outcome.catch_ups for outcome in outcomes),
        "connections given up for silence": sum(outcome.lost for outcome in outcomes),
        "ticks that did not follow": sum(outcome.jumps for outcome in outcomes),
        "faults": kinds.total(),
        **{f"- {kind}": kinds[kind] for kind in KINDS},
        "columns compared with the range query": sum(count.columns for count in counts),
        "values in them": sum(count.values for count in counts),
        "columns compared among viewers": sum(count.among_viewers for count in counts),
        "mismatches": sum(len(count.mismatches) for count in counts),
    }
    return "\n".join(["", "| what | count |", "|---|---|", *(f"| {k} | {v:,} |" for k, v in lines.items())])


if __name__ == "__main__":
    sys.exit(main())
