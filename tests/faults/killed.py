"""The store is killed while it writes: all that was acknowledged is there afterwards, and nothing twice.

Time is made up and goes by as fast as rows can be written, so that logs, rollups, slots, files and retention
are met by the kills.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from monitor.model import Times
from monitor.storage.log import Log
from monitor.storage.shelf import Shelf
from monitor.storage.store import Store
from monitor.storage.tier import HOURS, MINUTE, MINUTES, RAW, SPAN
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.samples import START, STEP, TARGETS, let_go, read, rolled_wrong, scrape, store, wrong
from tests.faults.scene import played_in_memory

TITLE = "D1: kill -9 while history is written"
KILLS = 1_000
LONGEST = 0.25
"""Seconds from the first row to the kill at most."""
WHOLE_EVERY = 50
"""Kills from one look at all that there is to the next; those between look at the newest hours."""
MOST = 30
"""Rows of a target from one acknowledgement to the next."""
NEAR = 150 * MINUTE


@dataclass
class Outcome:
    kills: int = 0
    acknowledged: int = 0
    """Rows that were, of all targets."""
    lost: int = 0
    twice: int = 0
    wrong: int = 0
    rolled: int = 0
    """Rows of minutes and hours that are wrong."""
    files: int = 0
    unlinked: int = 0
    """Files that retention took."""
    slots: int = 0
    slowest: float = 0
    """Seconds to start after a kill."""
    left: int = 0
    """Files that nobody needs any more."""


def rows(options: Options) -> Iterator[Row]:
    yield from told(
        played_in_memory(lambda folder: campaign(folder, options.of(KILLS), Random(options.seed)))
    )


def told(found: Outcome) -> Iterator[Row]:
    yield Row("kills", found.kills)
    yield Row("rows acknowledged before a kill", found.acknowledged)
    yield Row("of them not there afterwards", found.lost, not found.lost)
    yield Row("rows that are there twice or out of order", found.twice, not found.twice)
    yield Row("samples with a wrong value", found.wrong, not found.wrong)
    yield Row("minutes and hours that do not tell of their samples", found.rolled, not found.rolled)
    yield Row("slots of 15 minutes closed", found.slots)
    yield Row("files of history, and files that retention took", f"{found.files} and {found.unlinked}")
    yield Row("longest start after a kill, s", f"{found.slowest:.2f}")
    yield Row("files left behind", found.left, not found.left)


class Campaign:
    def __init__(self, folder: Path, random: Random) -> None:
        self.folder, self.random, self.found = folder / "history", random, Outcome()
        self.now = START
        self.known: dict[int, Times] = {each: np.empty(0, np.int64) for each in range(len(TARGETS))}
        """Times of rows that were there, by target."""
        self.spans: set[int] = set()

    def kill(self, whole: bool) -> None:
        first = self.now + STEP
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            with suppress(BaseException):
                write(self.folder, first, writing, self.random.randrange(1 << 30))
            os._exit(1)
        os.close(writing)
        acknowledged = heard(reading, child, self.random.uniform(0, LONGEST))
        self.found.kills += 1
        self.found.acknowledged += max(0, (acknowledged - first) // STEP + 1) * len(TARGETS)
        self.look(first, acknowledged, whole)

    def look(self, first: int, acknowledged: int, whole: bool) -> None:
        began = time.monotonic()
        made = store(self.folder, max(acknowledged, self.now) + MOST * STEP)
        self.found.slowest = max(self.found.slowest, time.monotonic() - began)
        assert made.flush().wait(30), "what the killed one had no time to roll up is rolled up"
        newest = self.now
        for number in range(len(TARGETS)):
            newest = max(newest, self.judge(made, number, first, acknowledged, whole))
        self.now = newest
        self.spans |= set(made.shelf.spans(RAW))
        if self.random.random() < 0.5:
            made.close()
        else:
            let_go(made)

    def judge(self, made: Store, number: int, first: int, acknowledged: int, whole: bool) -> int:
        target, found = TARGETS[number], self.found
        oldest = max(made.shelf.spans(RAW), default=0) * SPAN * RAW.slot
        start = min(first - NEAR, oldest)
        if whole:
            start = (made.shelf.spans(RAW)[0] * SPAN) * RAW.slot + 1
        selection = read(made, target, start, 1 << 50)
        times = selection.timestamps if selection else np.empty(0, np.int64)
        before = self.known[number]
        before = before[before.searchsorted(start) :]
        expected = np.union1d(before, np.arange(first, acknowledged + 1, STEP))
        found.lost += len(np.setdiff1d(expected, times))
        found.twice += int(np.sum(np.diff(times) <= 0))
        self.known[number] = np.union1d(self.known[number], times)
        if selection is None:
            return 0
        found.wrong += wrong(selection, target)
        found.rolled += rolled_wrong(made, target, MINUTES, selection)
        if whole:
            found.rolled += rolled_wrong(made, target, HOURS, selection)
        return int(times[-1])

    def end(self) -> None:
        """What is in the folder after a last stop."""
        made = store(self.folder, self.now)
        made.writer.sync()
        made.close()
        files = {path.name for path in self.folder.iterdir()}
        kept = {tier: len(made.shelf.spans(tier)) for tier in (RAW, MINUTES, HOURS)}
        self.found.files = sum(kept.values())
        self.found.unlinked = len(self.spans - set(made.shelf.spans(RAW)))
        self.found.slots = sum(
            len(slots) for _, contents in made.shelf.readable(RAW) for slots in contents.slots.values()
        )
        usual = {"lock", "events.jsonl", *(f"{tier}.spare" for tier in ("raw", "m1", "h1"))}
        strange = {name for name in files if not name.endswith((".log", ".db"))} - usual
        self.found.left = len(strange) + unneeded(self.folder, made.shelf)


def unneeded(folder: Path, shelf: Shelf) -> int:
    """Logs whose rows are all in files.

    A resolution may have two: where a kill came between the first rows of a slot, some targets are in it and
    the others in the one before.
    """
    count = 0
    for tier in (RAW, MINUTES, HOURS):
        for path in folder.glob(f"{tier.name}-*.log"):
            slot = int(path.stem.removeprefix(f"{tier.name}-"))
            log = Log(path, slot, len(tier.aspects))
            count += all(row.time in shelf.times(tier, row.target, slot) for row in log.replay())
            log.close()
    return count


def campaign(folder: Path, kills: int, random: Random) -> Outcome:
    made = Campaign(folder, random)
    for number in range(1, kills + 1):
        made.kill(whole=number % WHOLE_EVERY == 0 or number == kills)
        if number % 100 == 0:
            progress(f"{number} kills: {made.found}")
    made.end()
    return made.found


def write(folder: Path, first: int, told: int, seed: int) -> None:
    """Rows of all targets from a time on, and after some of them the time that is acknowledged, for ever."""
    random = Random(seed)
    made = store(folder, first)
    os.write(told, b"begin\n")
    now = first
    while True:
        for _ in range(random.randrange(MOST)):
            for target in TARGETS:
                made.append(scrape(target, now))
            now += STEP
        if random.random() < 0.3:
            made.writer.sync()
        assert made.flush().wait(30)
        os.write(told, f"{made.writer.written}\n".encode())


def heard(reading: int, child: int, seconds: float) -> int:
    """The newest time that a child acknowledged before it was killed, so many seconds after it began."""
    try:
        text = os.read(reading, 6)
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                text += os.read(reading, 1 << 16)
    finally:
        # Whatever happens here: it would go on for ever, with the test's own output held open.
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child ended by itself"
    while more := os.read(reading, 1 << 16):
        text += more
    os.close(reading)
    *lines, _torn = text.decode().removeprefix("begin\n").split("\n")
    return int(lines[-1]) if lines else 0
