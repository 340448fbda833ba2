"""Rows from several places made one selection."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

import numpy as np

from monitor.model import Floats, Labels, Times
from monitor.storage import STALE_BITS, Aspect, ColumnIndex, Selection, SeriesSet, is_stale
from monitor.storage.plan import Plan, Taken
from monitor.storage.register import as_slice
from monitor.storage.sources import Source
from monitor.storage.tier import Tier

SMALL = 1_000_000
"""Numbers that are not counted any closer."""


class Part(NamedTuple):
    """Some rows of a source."""

    source: Source
    taken: Taken


class Gathering:
    """The rows of one target that a read gives, while it looks at one resolution after the other."""

    def __init__(self, start: int, end: int) -> None:
        self.plan = Plan(start, end)
        self.parts: list[Part] = []
        self._met = False
        self._passed: list[tuple[Tier, list[Source]]] = []
        """What was looked at before a series was met: its times count, too, once one is."""

    def wants(self, tier: Tier) -> bool:
        """Whether rows of a resolution may be given yet."""
        return not self._met or self.plan.open_to(tier)

    def look(self, tier: Tier, sources: list[Source]) -> None:
        """All that there is of a resolution."""
        self._passed.append((tier, sources))
        self._met = self._met or any(source.labels for source in sources)
        if self._met:
            for passed in self._passed:
                self._take(*passed)
            self._passed = []

    def _take(self, tier: Tier, sources: list[Source]) -> None:
        times = [source.times for source in sources]
        taken = self.plan.take(tier, np.concatenate(times)) if times else None
        self.plan.next_tier()
        if taken is None:
            return
        borders = np.cumsum([0, *map(len, times)])
        cuts = taken.rows.searchsorted(borders).tolist()
        for source, border, first, last in zip(sources, borders.tolist(), cuts, cuts[1:], strict=False):
            if first < last:
                rows = taken.rows[first:last] - border
                self.parts.append(Part(source, Taken(tier, rows, taken.times[first:last])))


def size(parts: list[Part], aspects: tuple[Aspect, ...], reach: int) -> int:
    """How many numbers `join` makes of these parts, at most."""
    labels = {id(part.source.labels): part.source.labels for part in parts}.values()
    rows, series = sum(len(part.taken.rows) for part in parts), sum(map(len, labels))
    if rows * series > SMALL:
        series = len(set(chain.from_iterable(labels)))
    return rows * series * len(wanted_of(aspects, reach))


def wanted_of(aspects: tuple[Aspect, ...], reach: int) -> tuple[Aspect, ...]:
    """The aspects that are read: samples alone have none but their values."""
    return ("last", *(aspect for aspect in aspects if aspect != "last")) if reach else ("last",)


def join(
    parts: list[Part],
    aspects: tuple[Aspect, ...],
    reach: int,
    target: Labels,
    series_of: Callable[[tuple[Labels, ...]], SeriesSet],
) -> Selection | None:
    """One selection of all parts; of two that have a sample of a series at a time, the first one's counts.

    None where there is no sample.
    """
    if not parts:
        return None
    times = ascending([part.taken.times for part in parts])
    index: dict[Labels, int] = {}
    named = [part.source.labels for part in parts]
    # Most parts have the same series.
    columns: dict[int, ColumnIndex] = {}
    for labels in named:
        if id(labels) not in columns:
            columns[id(labels)] = as_slice([index.setdefault(each, len(index)) for each in labels])
    wanted = wanted_of(aspects, reach)
    values = np.full((len(wanted), len(index), len(times)), STALE_BITS, np.int64).view(np.float64)
    alone = sum(len(part.taken.rows) for part in parts) == len(times)
    for part, labels in zip(reversed(parts), reversed(named), strict=True):
        if labels:
            _fill(values, part, columns[id(labels)], times, wanted, alone)
    return _selection(values, times, list(index), wanted if aspects else (), reach, target, series_of)


def ascending(pieces: list[Times]) -> Times:
    """Each time once; the pieces are in order by themselves.

    `np.unique` goes by a table of hashes, and takes twenty times as long for a day of seconds.
    """
    times: Times = np.concatenate(pieces)
    times.sort(kind="stable")
    first = np.ones(len(times), np.bool_)
    np.not_equal(times[1:], times[:-1], out=first[1:])
    return times if first.all() else times[first]


def _fill(
    values: Floats, part: Part, columns: ColumnIndex, times: Times, wanted: tuple[Aspect, ...], alone: bool
) -> None:
    taken = part.taken.times
    read = part.source.read(part.taken.rows, wanted)
    if not part.source.tier.step and len(wanted) > 1:
        read = as_rolled(read[0], wanted)
    first, last = int(times.searchsorted(taken[0])), int(times.searchsorted(taken[-1]))
    if last - first + 1 == len(taken):
        beside = values[:, columns, first : last + 1]
        values[:, columns, first : last + 1] = read if alone else np.where(is_stale(read), beside, read)
    else:
        places, rows = np.arange(values.shape[1])[columns][:, None], times.searchsorted(taken)
        values[:, places, rows] = np.where(is_stale(read), values[:, places, rows], read)


def as_rolled(samples: Floats, wanted: tuple[Aspect, ...]) -> Floats:
    """What samples (k, n) would tell as rows that each stand for one: (aspects, k, n)."""
    absent = is_stale(samples)
    stale = np.int64(STALE_BITS).view(np.float64)
    others: dict[Aspect, Floats] = {
        "count": np.where(absent, stale, 1.0),
        "lost": np.full(samples.shape, stale),
    }
    return np.stack([others.get(aspect, samples) for aspect in wanted])


def _selection(
    values: Floats,
    times: Times,
    labels: list[Labels],
    wanted: tuple[Aspect, ...],
    reach: int,
    target: Labels,
    series_of: Callable[[tuple[Labels, ...]], SeriesSet],
) -> Selection | None:
    present = np.flatnonzero(np.any(~is_stale(values[0]), axis=1))
    if not len(present):
        return None
    if len(present) < len(labels):
        values = values[:, present]
        labels = [labels[place] for place in present.tolist()]
    series = series_of(tuple(labels))
    parts = {aspect: values[place].T for place, aspect in enumerate(wanted)} if reach and wanted else None
    return Selection(series, times, values[0].T, slice(0, len(labels)), reach, parts, target)
