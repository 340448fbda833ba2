"""One byte of the store is wrong at a time: it starts, tells no lie, and names what it lost."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from monitor.model import Floats, Labels, Times
from monitor.storage import Look, is_stale
from monitor.storage.store import Store, StoreError
from monitor.storage.tier import HOUR, HOURS, MINUTES, TIERS, Tier
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.samples import START, STEP, TARGETS, let_go, order, read, run, store, values, wrong
from tests.faults.scene import played_in_memory

TITLE = "D2: wrong bytes in the files of history"
BYTES = 1_000
DAYS = 11 * 24 * HOUR
"""Until the clock is set on, so that hours are in a file, too."""


@dataclass
class Outcome:
    bytes: int = 0
    logs: int = 0
    """Of them in logs."""
    refused: int = 0
    """Starts that failed."""
    wrong: int = 0
    samples: int = 0
    """Of one folder."""
    harmed: int = 0
    """Folders that lost something."""
    lost: int = 0
    most: int = 0
    unnamed: int = 0
    tails: int = 0


def rows(options: Options) -> Iterator[Row]:
    yield from told(
        played_in_memory(lambda folder: campaign(folder, options.of(BYTES), Random(options.seed)))
    )


def told(found: Outcome) -> Iterator[Row]:
    yield Row("wrong bytes, each in a fresh copy", found.bytes)
    yield Row("of them in logs", found.logs)
    yield Row("starts that failed", found.refused, not found.refused)
    yield Row("samples, minutes and hours with a wrong value", found.wrong, not found.wrong)
    yield Row("copies in which samples were lost", found.harmed)
    yield Row(f"most samples lost by a byte, of {found.samples:,}", found.most)
    yield Row("samples lost and not named, but the last row of a log", found.unnamed, not found.unnamed)
    yield Row("last rows of a log lost, as a kill may leave it", found.tails)


class Held:
    """What a whole store tells."""

    def __init__(self, made: Store) -> None:
        self.raw: dict[Labels, Floats] = {}
        self.times: dict[Labels, Times] = {}
        for target in TARGETS:
            self.times[target], self.raw[target] = table(made, target)


def table(made: Store, target: Labels) -> tuple[Times, Floats]:
    """Times, and one column for each series of the layout, stale where it is lost."""
    found = read(made, target, 0, 1 << 50)
    if found is None:
        return np.empty(0, np.int64), np.empty((0, 4))
    padded = np.column_stack([found.values, np.full(len(found.timestamps), np.nan)])
    return found.timestamps, padded[:, order(found)]


def untrue(made: Store, target: Labels, tier: Tier, times: Times) -> int:
    """Rows that do not tell of so many samples, up to their time, as they say."""
    found = read(made, target, 0, 1 << 50, Look(tier.step, ("min", "max", "sum", "count")))
    if found is None or found.parts is None:
        return 0
    samples, places = values(target, times), [place for place in order(found) if place >= 0]
    kept = [number for number, place in enumerate(order(found)) if place >= 0]
    count = 0
    for row, end in enumerate(times.searchsorted(found.timestamps, "right").tolist()):
        told: dict[str, Floats] = {aspect: part[row, places] for aspect, part in found.parts.items()}
        for place, number in enumerate(kept):
            length = told["count"][place]
            if length > 0:
                some = samples[end - int(length) : end, number]
                true = {"min": some.min(), "max": some.max(), "sum": some.sum()}
                count += any(abs(told[each][place] - true[each]) > 1e-9 * abs(true[each]) for each in true)
    return count


def campaign(folder: Path, count: int, random: Random) -> Outcome:
    whole, found = folder / "whole", Outcome()
    now = past(whole)
    made = store(whole, now)
    held = Held(made)
    assert not sum(untrue(made, target, tier, held.times[target]) for target in TARGETS for tier in TIERS[1:])
    let_go(made)
    found.samples = sum(values.size for values in held.raw.values())
    files = [path for path in sorted(whole.iterdir()) if path.suffix in (".db", ".log", ".jsonl")]
    sizes = [used(path) for path in files]
    for number in range(count):
        (file,) = random.choices(files, sizes)
        copy = folder / "copy"
        shutil.copytree(whole, copy)
        flip(copy / file.name, random)
        with quiet(logging.getLogger("monitor.storage.shelf")):
            judge(copy, file, now, held, found)
        shutil.rmtree(copy)
        if number % 100 == 99:
            progress(f"{number + 1} bytes: {found}")
    return found


@contextmanager
def quiet(log: logging.Logger) -> Iterator[None]:
    """Each damage is logged, too; it is judged by what the store itself tells."""
    log.disabled = True
    yield
    log.disabled = False


def past(folder: Path) -> int:
    """Files and logs of all resolutions."""
    made = store(folder, START)
    now = run(made, START, START + 5 * HOUR)
    now = run(made, now + DAYS, now + DAYS + HOUR)
    made.writer.sync()
    now = run(made, now, now + 7 * 60_000)
    let_go(made)
    return now


def used(path: Path) -> int:
    """Bytes of a file, less the room that a log has asked for and not used."""
    return len(path.read_bytes().rstrip(b"\0"))


def flip(path: Path, random: Random) -> None:
    content = bytearray(path.read_bytes())
    content[random.randrange(used(path))] ^= random.randrange(1, 256)
    path.write_bytes(content)


def judge(folder: Path, file: Path, now: int, held: Held, found: Outcome) -> None:
    found.bytes += 1
    found.logs += file.suffix == ".log"
    try:
        made = store(folder, now)
    except StoreError:
        found.refused += 1
        return
    lost = 0
    for target in TARGETS:
        lost += missing(made, target, file, held, found)
        for tier in (MINUTES, HOURS):
            found.wrong += untrue(made, target, tier, held.times[target])
    found.lost += lost
    found.harmed += lost > 0
    found.most = max(found.most, lost)
    let_go(made)


def missing(made: Store, target: Labels, file: Path, held: Held, found: Outcome) -> int:
    """Samples of a target that are gone; what is wrong, and what nobody named, is counted."""
    selection = read(made, target, 0, 1 << 50)
    if selection is not None:
        found.wrong += wrong(selection, target)
        found.wrong += len(np.setdiff1d(selection.timestamps, held.times[target]))
    times, samples = table(made, target)
    there = np.zeros(held.raw[target].shape, np.bool_)
    rows = np.isin(held.times[target], times)
    there[rows] = ~(is_stale(samples) | np.isnan(samples))[np.isin(times, held.times[target])]
    gone = held.times[target][~there.all(axis=1)]
    named = np.zeros(len(gone), np.bool_)
    for damage in made.shelf.damage:
        first, last = damage.when or (0, 1 << 62)
        named |= (gone >= first) & (gone <= last)
    unnamed = gone[~named]
    tail = file.suffix == ".log" and len(unnamed) == 1 and unnamed[0] + STEP not in held.times[target]
    found.tails += tail
    found.unnamed += 0 if tail else len(unnamed)
    return int(np.sum(~there))
