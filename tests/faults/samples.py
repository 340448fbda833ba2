"""Samples whose values follow from target, series and time, so that every one that is read is judged."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from monitor.model import Block, Floats, Kind, Labels, Layout, Metric, Scrape, Times
from monitor.storage import Look, Selection, is_stale
from monitor.storage.head import Head
from monitor.storage.store import Retention, Store
from monitor.storage.tier import HOURS, MINUTE, Tier

STEP = 5_000
"""Milliseconds between two rows."""
START = 3000 * HOURS.slot
TARGETS: tuple[Labels, ...] = tuple((("instance", name), ("job", "made")) for name in ("a", "b", "c"))
COUNT = Metric("count_total", Kind.COUNTER, "Begins anew now and then.")
LEVEL = Metric("level", Kind.GAUGE, "Goes to and fro.")
LAYOUT = Layout([COUNT.at(), LEVEL.at(of="a"), LEVEL.at(of="b"), LEVEL.at(of="c")])
WINDOW = 17 * MINUTE
RETENTION = Retention(raw=24 * 3600, minutes=90 * 86_400, hours=1826 * 86_400)


def values(target: Labels, times: Times) -> Floats:
    """(n, 4): what was measured at these times (ms)."""
    turn, number = times // STEP, TARGETS.index(target) + 1
    columns = [turn % 700, turn * number % 1009, turn % 97 / 8, np.full(len(times), number)]
    found: Floats = np.stack(columns, axis=1).astype(np.float64)
    return found


def scrape(target: Labels, time: int) -> Scrape:
    (row,) = values(target, np.array([time])).tolist()
    return Scrape(time, target, (Block(LAYOUT, row),))


def store(folder: Path, now: int, retention: Retention = RETENTION) -> Store:
    """One that stands at a time and has taken up what is in the folder."""
    made = Store(Head(WINDOW), folder, retention, lambda: now / 1000, step=STEP)
    made.start()
    return made


def read(made: Store, target: Labels, start: int, end: int, look: Look | None = None) -> Selection | None:
    """What is there of a target with start <= time <= end."""
    found = [each for each in made.history.select((), start, end, look or Look()) if each.target == target]
    assert len(found) <= 1, "one selection for a target"
    return found[0] if found else None


def run(made: Store, start: int, end: int) -> int:
    """All targets are measured after a time and until another, which is returned."""
    for time in range(start + STEP, end + 1, STEP):
        for target in TARGETS:
            made.append(scrape(target, time))
        if not time % MINUTE:
            assert made.flush().wait(60)
    return end


def let_go(made: Store) -> None:
    """Like a kill: nothing more is written."""
    assert made.flush().wait(60)
    made.writer.abandon()
    made.keeper.close()
    os.close(made._lock)
    made.shelf.close()


def order(selection: Selection) -> list[int]:
    """The column of each series of the layout; -1 where it is lost."""
    names = [(dict(labels)["__name__"], dict(labels).get("of", "")) for labels in selection.series.labels]
    wanted = [(series.name, dict(series.labels).get("of", "")) for series in LAYOUT.series]
    return [names.index(each) if each in names else -1 for each in wanted]


def wrong(selection: Selection, target: Labels) -> int:
    """Samples that are not what was measured; one that is missing is not wrong."""
    expected = values(target, selection.timestamps)
    count = 0
    for place, column in enumerate(order(selection)):
        if column >= 0:
            held = np.ascontiguousarray(selection.values[:, column])
            count += int(np.sum(~is_stale(held) & (held != expected[:, place])))
    return count


def rolled_wrong(made: Store, target: Labels, tier: Tier, raw: Selection) -> int:
    """Rows of a rolled-up resolution that do not tell of the samples that they stand for."""
    start = -(-int(raw.timestamps[0]) // tier.step) * tier.step + 1
    end = int(raw.timestamps[-1]) // tier.step * tier.step - tier.step
    if start >= end:
        return 0
    found = read(made, target, start, end, Look(tier.step, ("min", "max", "sum", "count")))
    if found is None or found.parts is None or len(found.timestamps) < 2:
        return 0
    # Row n stands for the samples since row n - 1.
    borders = raw.timestamps.searchsorted(found.timestamps, "right")
    first, last = borders[:-1], borders[-1]
    samples = raw.values[:last][:, order(raw)]
    true = {
        "count": np.diff(borders)[:, None] + np.zeros(len(LAYOUT)),
        "sum": np.add.reduceat(samples, first),
        "min": np.minimum.reduceat(samples, first),
        "max": np.maximum.reduceat(samples, first),
    }
    right = [
        np.isclose(found.parts[aspect][1:][:, order(found)], true[aspect], rtol=1e-12).all(axis=1)
        for aspect in ("count", "sum", "min", "max")
    ]
    finer = len(found.timestamps) - ((end - start) // tier.step + 1)
    return int(np.sum(~np.logical_and.reduce(right))) + max(0, finer)
