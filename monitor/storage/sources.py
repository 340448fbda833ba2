"""Where rows of one target are found: a slot of a file, a slab that is not in a file yet, the head."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from monitor.model import Floats, Labels, Times
from monitor.storage import Aspect, Matcher, Selection
from monitor.storage.codec import decode
from monitor.storage.contents import Chosen, Contents, Slot
from monitor.storage.plan import Places
from monitor.storage.schema import Row, cell_number
from monitor.storage.tier import RAW, Entry, Slab, Tier
from monitor.storage.volume import Volume, column

Matchers = tuple[Matcher, ...]


class Source(Protocol):
    """Rows of one target that lie together."""

    @property
    def tier(self) -> Tier: ...

    @property
    def times(self) -> Times:
        """(n,) ascending milliseconds."""

    @property
    def labels(self) -> tuple[Labels, ...]:
        """The k series that are wanted."""

    def read(self, rows: Places, aspects: tuple[Aspect, ...]) -> Floats:
        """(aspects, k, rows): of a resolution that rolls up, its aspects; of samples, their values alone."""


class Live(NamedTuple):
    """What the head gave."""

    selection: Selection
    tier: Tier = RAW

    @property
    def times(self) -> Times:
        return self.selection.timestamps

    @property
    def labels(self) -> tuple[Labels, ...]:
        return self.selection.series.labels

    def read(self, rows: Places, aspects: tuple[Aspect, ...]) -> Floats:  # noqa: ARG002
        return self.selection.at(rows).T[None]


class Loose(NamedTuple):
    """A slab that is not in a file yet, and which of its series are wanted."""

    slab: Slab
    columns: Places

    @property
    def tier(self) -> Tier:
        return self.slab.tier

    @property
    def times(self) -> Times:
        return self.slab.times

    @property
    def labels(self) -> tuple[Labels, ...]:
        return tuple(self.slab.entries[place].labels for place in self.columns.tolist())

    def read(self, rows: Places, aspects: tuple[Aspect, ...]) -> Floats:
        places = [self.tier.aspects.index(aspect) for aspect in aspects] if self.tier.step else [0]
        read: Floats = self.slab.values[np.ix_(np.array(places), rows, self.columns)]
        return read.transpose(0, 2, 1)


class Stored:
    """A slot of a file.  Its cells are fetched by `fetch`, for all slots of the file at once."""

    def __init__(self, volume: Volume, contents: Contents, slot: Slot, wanted: Chosen) -> None:
        """`wanted` are series that have a cell in the slot."""
        self.volume, self.contents, self.tier = volume, contents, volume.tier
        self.labels = wanted.labels
        self.slot = slot
        base = cell_number(slot.slot, 0)
        self.numbers: list[int] = (base + wanted.ids).tolist()
        """The ids of the cells."""
        self.rows: dict[int, Row] = {}
        """The cells by their id, once they were fetched."""

    @cached_property
    def times(self) -> Times:
        return self.slot.times

    def read(self, rows: Places, aspects: tuple[Aspect, ...]) -> Floats:
        places = [self.tier.aspects.index(aspect) for aspect in aspects] if self.tier.step else [0]
        count = len(self.times)
        values = np.empty((len(places), len(self.numbers), len(rows)))
        some = slice(None) if len(rows) == count else rows
        for index, number in enumerate(self.numbers):
            row = self.rows.get(number)
            if row is None:
                self.volume.name_lost(self.slot.slot, self.labels[index])
                values[:, index] = decode(None, len(rows))
                continue
            for aspect, place in enumerate(places):
                values[aspect, index] = column(row, place, count)[some]
        return values


class Within:
    """Which of the series that were chosen have a cell in a slot: most slots of a file have the same."""

    def __init__(self, chosen: Chosen) -> None:
        self._chosen = chosen
        self._known: dict[bytes, Chosen] = {}

    def __call__(self, slot: Slot) -> Chosen:
        """Those of the chosen."""
        ids, labels = self._chosen
        if not len(ids):
            return self._chosen
        found = self._known.get(slot.packed_series)
        if found is None:
            places = np.flatnonzero(np.isin(ids, slot.series, assume_unique=True))
            found = Chosen(ids[places], tuple(labels[place] for place in places.tolist()))
            found = self._known[slot.packed_series] = self._chosen if len(places) == len(ids) else found
        return found


def fetch(sources: list[Source]) -> None:
    """The cells of all slots that are wanted, each file's at once.  Raises ChangedError."""
    files: dict[Volume, list[Stored]] = {}
    for source in sources:
        if isinstance(source, Stored):
            files.setdefault(source.volume, []).append(source)
    for volume, slots in files.items():
        wanted = {number: slot.slot.written for slot in slots for number in slot.numbers}
        rows = volume.cells(slots[0].contents, wanted)
        for slot in slots:
            slot.rows = rows


class Matched:
    """Which series of slabs some matchers accept, remembered while the slabs have the same series.

    Any thread may ask.
    """

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._known: dict[tuple[Tier, int, Labels, Matchers], tuple[tuple[Entry, ...], Places]] = {}

    def columns(self, slab: Slab, matchers: Matchers) -> Places:
        """The columns of the series that all matchers accept, ascending."""
        key = slab.tier, slab.slot, slab.entries[0].labels if slab.entries else slab.target, matchers
        entries, places = self._known.pop(key, ((), None))
        if places is None or entries is not slab.entries:
            places = matching(slab, matchers)
        while len(self._known) >= self._most:
            self._known.pop(next(iter(self._known), key), None)
        self._known[key] = slab.entries, places
        return places


def matching(slab: Slab, matchers: Matchers) -> Places:
    """Which series of a slab all matchers accept."""
    return np.array(
        [
            place
            for place, entry in enumerate(slab.entries)
            if all(matcher.accepts(entry.labels) for matcher in matchers)
        ],
        np.intp,
    )
