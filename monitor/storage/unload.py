"""History given away, series by series: the rows of one resolution, from files and logs.

The series of a metric come together, and each with all its rows in the order of time; no more is in memory
than a group of series has in one file.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monitor.model import Floats, Kind, Labels, Metric, Times, Track
from monitor.storage import Matcher, is_stale
from monitor.storage.contents import Chosen, Contents, Names
from monitor.storage.log import Row
from monitor.storage.logged import logs, slab_of
from monitor.storage.repair import take_back
from monitor.storage.shelf import FOREVER, Shelf
from monitor.storage.sources import Stored, Within, fetch
from monitor.storage.tier import Entry, Slab, Tier
from monitor.storage.verify import TRIES
from monitor.storage.volume import ChangedError, Volume

Progress = Callable[[int, int], None]
FIRST, LAST = -FOREVER, FOREVER
Selectors = Sequence[tuple[Matcher, ...]]


class Wanted(NamedTuple):
    """What is given away."""

    tier: Tier
    selectors: Selectors
    """A series that any of them accepts; every series where there is none."""
    start: int = FIRST
    end: int = LAST
    """Milliseconds, both inclusive."""

    def takes(self, labels: Labels) -> bool:
        return not self.selectors or any(
            all(matcher.accepts(labels) for matcher in matchers) for matchers in self.selectors
        )


Place = tuple[int, int]


class Found(NamedTuple):
    """Where the rows of a series are."""

    metric: Metric
    stored: list[Place]
    """Which file, and the id in it."""
    loose: list[Place]
    """Which slab, and the column in it."""


Piece = tuple[int, list[Track]]
"""A slot, and what some series have in it."""


class Unload:
    """Reads a folder, even while a service writes it.  `damage` counts what could not be read."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        take_back(folder)
        self.damage = 0
        self._wanted = wanted
        # The logs first: what moves to a file meanwhile is met twice, never missed.
        loose = list(unclosed(folder, wanted))
        self._shelf = Shelf(folder, self._count)
        files = self._shelf.readable(wanted.tier, wanted.start, wanted.end)
        self._files: list[tuple[Volume, Contents]] = list(files)
        held = {
            (target, slot)
            for _, found in self._files
            for target, slots in found.slots.items()
            for slot in slots
        }
        self._loose = [slab for slab in loose if (slab.target, slab.slot) not in held]
        self._skip = {(slab.target, slab.slot) for slab in self._loose}
        self._families = self._index()

    def close(self) -> None:
        self._shelf.close()

    def labels(self) -> list[str]:
        """The names of all labels there are, but for the metric's name."""
        found = {name for family in self._families for labels in self._series(family) for name, _ in labels}
        return sorted(found - {"__name__"})

    @property
    def columns(self) -> tuple[str, ...]:
        """What the values of a track are."""
        return self._wanted.tier.aspects if self._wanted.tier.step else ("value",)

    def groups(self, progress: Progress) -> Iterator[list[Track]]:
        """Some rows of the series that belong together: those of a histogram, or one."""
        for done, family in enumerate(self._families):
            progress(done, len(self._families))
            series = self._series(family)
            grouped: dict[Labels, list[Labels]] = {}
            for labels in sorted(series):
                grouped.setdefault(together(labels, series[labels].metric), []).append(labels)
            for _, members in sorted(grouped.items()):
                group = {labels: series[labels] for labels in sorted(members, key=rank)}
                pieces = heapq.merge(self._stored(group), self._unclosed(group), key=lambda piece: piece[0])
                yield from (tracks for _, tracks in pieces if tracks)
        progress(len(self._families), len(self._families))

    def _count(self, _: object) -> None:
        self.damage += 1

    def _index(self) -> dict[str, tuple[list[tuple[int, Names]], list[tuple[int, int, Entry]]]]:
        """Where the series of each metric are, by its name."""
        found: dict[str, tuple[list[tuple[int, Names]], list[tuple[int, int, Entry]]]] = {}
        for place, (_, contents) in enumerate(self._files):
            for names in contents.names:
                found.setdefault(names.metric.name, ([], []))[0].append((place, names))
        for place, slab in enumerate(self._loose):
            for column, entry in enumerate(slab.entries):
                found.setdefault(entry.metric.name, ([], []))[1].append((place, column, entry))
        return dict(sorted(found.items()))

    def _series(self, family: str) -> dict[Labels, Found]:
        """The wanted series of a metric, and where each is."""
        series: dict[Labels, Found] = {}
        stored, loose = self._families[family]
        for place, names in stored:
            for number, entry in enumerate(names.entries(self._shelf.intern), names.first):
                if self._wanted.takes(entry.labels):
                    found = series.setdefault(entry.labels, Found(entry.metric, [], []))
                    found.stored.append((place, number))
        for place, column, entry in loose:
            if self._wanted.takes(entry.labels):
                series.setdefault(entry.labels, Found(entry.metric, [], [])).loose.append((place, column))
        return series

    def _unclosed(self, group: dict[Labels, Found]) -> Iterator[Piece]:
        places = sorted({place for found in group.values() for place, _ in found.loose})
        for slab, place in sorted(((self._loose[at], at) for at in places), key=lambda each: each[0].slot):
            tracks = []
            for labels, found in group.items():
                for _, column in (each for each in found.loose if each[0] == place):
                    tracks += self._track(labels, found.metric, slab.times, slab.values[:, :, column])
            yield slab.slot, tracks

    def _stored(self, group: dict[Labels, Found]) -> Iterator[Piece]:
        places = sorted({place for found in group.values() for place, _ in found.stored})
        for place in places:
            ids = {
                number: labels
                for labels, found in group.items()
                for at, number in found.stored
                if at == place
            }
            for slot, stored in self._read(self._files[place][0], ids):
                read = stored.read(np.arange(len(stored.times)), stored.tier.aspects)
                held = dict(zip(stored.labels, read.transpose(1, 0, 2), strict=True))
                tracks = []
                for labels, found in group.items():
                    if labels in held:
                        tracks += self._track(labels, found.metric, stored.times, held[labels])
                yield slot, tracks

    def _read(self, volume: Volume, ids: dict[int, Labels]) -> list[tuple[int, Stored]]:
        """What some series have in a file, by slot; nothing of a file whose time was over meanwhile."""
        numbers = sorted(ids)
        chosen = Chosen(np.array(numbers, np.int64), tuple(ids[number] for number in numbers))
        tier, wanted = self._wanted.tier, self._wanted
        for _ in range(TRIES):
            try:
                contents, within = volume.contents(), Within(chosen)
                found = [
                    (number, Stored(volume, contents, slot, within(slot)))
                    for target, slots in contents.slots.items()
                    for number, slot in sorted(slots.items())
                    if set(target) <= set(chosen.labels[0])
                    and (target, number) not in self._skip
                    and tier.slot_at(wanted.start) <= number <= tier.slot_at(wanted.end)
                ]
                fetch([stored for _, stored in found])
            except ChangedError:
                continue
            except FileNotFoundError:
                return []
            return found
        raise OSError(f"{volume.path} was written {TRIES} times while it was read; run this again")

    def _track(self, labels: Labels, metric: Metric, times: Times, values: Floats) -> list[Track]:
        """The rows (aspects, n) of a series that there are and that are wanted."""
        there = ~is_stale(values[0]) & (times >= self._wanted.start) & (times <= self._wanted.end)
        return [Track(labels, metric, times[there], values[:, there])] if there.any() else []


def unclosed(folder: Path, wanted: Wanted) -> Iterator[Slab]:
    """The rows of the logs, a slab for each target and slot."""
    for log in logs(folder):
        if log.tier is wanted.tier:
            rows: dict[Labels, list[Row]] = {}
            with suppress(FileNotFoundError):
                for row in log.rows():
                    rows.setdefault(row.target, []).append(row)
            yield from (slab_of(log.tier, target, log.slot, held) for target, held in rows.items())


def together(labels: Labels, metric: Metric) -> Labels:
    """What is the same for all series of a histogram, and nobody else's."""
    if metric.kind is not Kind.HISTOGRAM:
        return labels
    return tuple(pair for pair in labels if pair[0] not in ("le", "__name__"))


def rank(labels: Labels) -> tuple[int, float]:
    """The place of a series in its histogram: buckets by their bounds, sum, count."""
    named = dict(labels)
    part = {"_sum": 1, "_count": 2}.get(named["__name__"][named["__name__"].rfind("_") :], 0)
    try:
        return part, float(named.get("le", "inf"))
    except ValueError:
        return part, math.inf
