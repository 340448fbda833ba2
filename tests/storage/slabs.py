"""Rows for tests of history: what a row holds follows from its resolution, series and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from monitor.model import Floats, Kind, Labels, Metric
from monitor.storage import STALE_BITS, Look, Matcher, Selection, is_stale
from monitor.storage.history import History
from monitor.storage.shelf import Shelf
from monitor.storage.tier import HOURS, RAW, Entry, Slab, Tier

STALE = float(np.array(STALE_BITS, np.int64).view(np.float64))
WEB: Labels = (("instance", "web"), ("job", "node"))
DATABASE: Labels = (("instance", "db"), ("job", "node"))
EVERYTHING = (Matcher("job", "=~", ".+"),)
START = 3000 * HOURS.slot
"""A border of slots of all resolutions."""
CPU = Metric("cpu_seconds_total", Kind.COUNTER, "Seconds.", "seconds")
HEAT = Metric("heat_celsius", Kind.GAUGE, "Heat, in °C.")


def entry(target: Labels, number: int) -> Entry:
    """The series of a target are told apart by number; two metrics take turns."""
    metric = (CPU, HEAT)[number % 2]
    return Entry(tuple(sorted((("__name__", metric.name), ("number", str(number)), *target))), metric)


def sample(tier: Tier, target: Labels, number: int, time: int) -> list[float] | None:
    """The aspects of a row, or nothing: each series is absent now and then."""
    if (time // 1000 + number) % 5 == 0:
        return None
    base = float(time % 100_000 * (number + 1) + len(target[0][1])) / (1 + number % 2)
    return [base + place * (number % 3) + tier.step for place in range(len(tier.aspects))]


def slabs(tier: Tier, target: Labels, times: Iterable[int], series: int = 3) -> list[Slab]:
    """Rows at these times, one slab for each slot."""
    slots: dict[int, list[int]] = {}
    for time in sorted(set(times)):
        slots.setdefault(tier.slot_at(time), []).append(time)
    made = (slab(tier, target, slot, held, range(series)) for slot, held in slots.items())
    return [each for each in made if each is not None]


def slab(tier: Tier, target: Labels, slot: int, times: Sequence[int], numbers: Iterable[int]) -> Slab | None:
    """Rows of some series; None where all of them are absent."""
    columns: list[Floats] = []
    entries = []
    for number in numbers:
        rows = [sample(tier, target, number, time) or [STALE] * len(tier.aspects) for time in times]
        column = np.array(rows, np.float64).T
        if not is_stale(column).all():
            columns.append(column)
            entries.append(entry(target, number))
    if not entries:
        return None
    return Slab(tier, target, slot, np.array(times, np.int64), tuple(entries), np.stack(columns, axis=2))


def history(shelf: Shelf) -> History:
    """What is in files alone."""
    return History(shelf, lambda tier: (), lambda matchers, start, end: [])


Held = dict[Labels, dict[int, float]]


def held(selections: Iterable[Selection]) -> Held:
    """The samples of every series, by time; bits count, so they are given as they are."""
    found: Held = {}
    for selection in selections:
        stale = is_stale(selection.values)
        for place, labels in enumerate(selection.series.labels):
            rows = zip(selection.timestamps.tolist(), selection.values[:, place].tolist(), strict=True)
            found[labels] = {
                time: value for (time, value), gone in zip(rows, stale[:, place], strict=True) if not gone
            }
    return found


def all_of(shelf: Shelf, tier: Tier = RAW) -> Held:
    """Every sample in the files of one resolution, nothing else being there."""
    return held(
        history(shelf).select(EVERYTHING, START - HOURS.slot, START + 9 * HOURS.slot, Look(tier.step))
    )


def expected(rows: Iterable[Slab]) -> Held:
    """What slabs hold, as `held` tells it."""
    found: Held = {}
    for each in rows:
        for place, (labels, _) in enumerate(each.entries):
            series = found.setdefault(labels, {})
            for row, time in enumerate(each.times.tolist()):
                value = each.values[0, row, place]
                if not is_stale(np.array([value]))[0]:
                    series[time] = float(value)
    return found
