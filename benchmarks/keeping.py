"""Our history in a process of its own, fed from a recording: `python -m benchmarks.keeping --help`.

It says on stdout how long it took to open, what was there, and after each row up to when rows are sure.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.past import TARGET, Past
from benchmarks.recording import Recording, load
from monitor.model import Block, Scrape
from monitor.storage import Matcher, Storage
from monitor.storage.head import Head

if TYPE_CHECKING:
    from monitor.storage.store import Store

AHEAD = 256
"""Rows made at once."""


class Clock:
    """The made-up time of the newest row, in seconds."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def scrapes(recording: Recording, first: int, start: int, count: int) -> Iterator[Scrape]:
    """So many rows of a recording from its row `first` on, a second apart from `start` (ms) on."""
    for place in range(0, count, AHEAD):
        for offset, row in enumerate(
            recording.rows(first + place, min(AHEAD, count - place)).tolist(), place
        ):
            yield Scrape(start + 1000 * offset, TARGET, (Block(recording.layout, row),))


def main(arguments: Sequence[str] | None = None) -> int:
    """Open, and keep rows at a pace until they are all in."""
    asked = parser().parse_args(arguments)
    recording = load(asked.recording)
    clock = Clock(asked.start / 1000)
    began = time.monotonic()
    if asked.bare:
        tell({"opened": time.monotonic() - began, "there": []})
        run(Head(), recording, clock, asked)
        return 0
    store = begun(Head(), asked.folder, clock)
    opened = time.monotonic() - began
    chosen = tuple(Matcher(label, "=", value) for label, _, value in selecting(Past(recording, 0, 1)))
    found = store.history.select(chosen, asked.since, asked.start)
    tell({"opened": opened, "there": [at for one in found for at in one.timestamps.tolist()]})
    run(store, recording, clock, asked, store)
    store.close()
    return 0


def begun(head: Head, folder: Path, clock: Clock) -> Store:
    """A store that has taken up what is in a folder, and keeps all for ever."""
    # Its libraries are a part of what history costs in memory.
    from monitor.storage.store import Retention, Store

    store = Store(head, folder, Retention(1e9, 1e9, 1e9, 1 << 50), clock)
    store.start()
    return store


def run(
    storage: Storage,
    recording: Recording,
    clock: Clock,
    asked: argparse.Namespace,
    store: Store | None = None,
) -> None:
    due = time.monotonic()
    gc.freeze()  # As the service does once it has started.
    for scrape in scrapes(recording, asked.first, asked.start, asked.rows):
        clock.now = scrape.timestamp / 1000
        storage.append(scrape)
        # What is in the log by now is what came before.
        tell({"appended": scrape.timestamp, "sure": store.writer.written if store else 0})
        due += asked.pace
        time.sleep(max(0.0, due - time.monotonic()))


def selecting(past: Past) -> list[tuple[str, str, str]]:
    """Matchers, as triples, that select the one series that tells something."""
    return [(name, "=", value) for name, value in past.varying()]


def tell(words: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m benchmarks.keeping", description=__doc__)
    whole.add_argument("folder", type=Path)
    whole.add_argument("recording", type=Path)
    whole.add_argument("--start", type=int, required=True, help="time of the first row (ms)")
    whole.add_argument("--first", type=int, default=0, help="row of the recording that is the first")
    whole.add_argument(
        "--since", type=int, default=0, help="tell the times of what is there from then on (ms)"
    )
    whole.add_argument("--rows", type=int, default=1 << 40, help="how many")
    whole.add_argument("--pace", type=float, default=1.0, help="seconds between two rows (%(default)s)")
    whole.add_argument("--bare", action="store_true", help="in memory alone")
    return whole


if __name__ == "__main__":
    sys.exit(main())
