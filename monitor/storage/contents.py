"""What one file holds, besides the cells: its targets, metrics, series, and the slots of each target."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model import Kind, Labels, Metric, Times
from monitor.storage import Matcher
from monitor.storage.codec import unpack_times, unpack_whole
from monitor.storage.schema import (
    COLUMNS,
    FORMAT,
    METRIC,
    NAMES,
    SLOT,
    STATE,
    TARGET,
    Row,
    intact,
    sealed,
    unpack_labels,
)
from monitor.storage.tier import Entry, Tier

Numbers = npt.NDArray[np.int64]
Tables = Mapping[str, Mapping[int, Row]]
"""The intact rows of each table but the cells, by id."""
REMEMBERED = 128
"""Selectors of a target whose series are remembered for each file."""


class Names(NamedTuple):
    """Series of one metric that were first written together."""

    first: int
    """The id of the first; the others' follow."""
    target: Labels
    name: str
    metric: Metric
    packed: bytes
    """See `unpack_labels`; without what the target and the name say."""

    def entries(self, intern: Callable[[Labels], Labels]) -> list[Entry]:
        """All of them, in the order of their ids."""
        given = (("__name__", self.name), *self.target)
        return [
            Entry(intern(tuple(sorted((*given, *own)))), self.metric) for own in unpack_labels(self.packed)
        ]


class Slot(NamedTuple):
    """The rows of one target in one slot."""

    number: int
    """Its id in the file."""
    slot: int
    written: int
    """The version of the file that this row and its cells are of."""
    packed_times: bytes
    packed_series: bytes

    @property
    def times(self) -> Times:
        """(n,) ascending milliseconds."""
        return unpack_times(self.packed_times)

    @property
    def series(self) -> Numbers:
        """(k,) ids of the series that have a cell, ascending."""
        return unpack_whole(self.packed_series)


class Chosen(NamedTuple):
    """The series of one target that a selector matched, by ascending id."""

    ids: Numbers
    labels: tuple[Labels, ...]


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file held when it had been written `version` times."""

    tier: Tier
    version: int
    targets: dict[int, Labels]
    metrics: dict[int, tuple[str, Metric]]
    names: list[Names]
    slots: dict[Labels, dict[int, Slot]]
    series: int
    """How many ids of series are in use."""
    lost: tuple[str, ...]
    """What ought to be there and is not; nothing may be written to such a file."""
    _chosen: dict[tuple[Labels, tuple[Matcher, ...]], Chosen] = field(default_factory=dict)

    @cached_property
    def slot_count(self) -> int:
        """How many ids of slots are in use."""
        return max((slot.number for slots in self.slots.values() for slot in slots.values()), default=0)

    def entries(self, ids: Numbers, intern: Callable[[Labels], Labels]) -> dict[int, Entry]:
        """The series with these ids; what is lost is left out."""
        found: dict[int, Entry] = {}
        for names in self.names:
            if ids.searchsorted(names.first) < len(ids):
                entries = names.entries(intern)
                low, high = ids.searchsorted((names.first, names.first + len(entries)))
                found.update((int(number), entries[int(number) - names.first]) for number in ids[low:high])
        return found

    def choose(
        self, matchers: tuple[Matcher, ...], target: Labels, intern: Callable[[Labels], Labels]
    ) -> Chosen:
        """The series of a target that all matchers accept."""
        chosen = self._chosen.get((target, matchers))
        if chosen is None:
            chosen = self._match(matchers, target, intern)
            while len(self._chosen) >= REMEMBERED:
                self._chosen.pop(next(iter(self._chosen)), None)
            self._chosen[target, matchers] = chosen
        return chosen

    def _match(
        self, matchers: tuple[Matcher, ...], target: Labels, intern: Callable[[Labels], Labels]
    ) -> Chosen:
        found: list[tuple[int, Labels]] = []
        for names in self.names:
            if names.target != target:
                continue
            given = {"__name__": names.name, **dict(target)}
            rest = [matcher for matcher in matchers if matcher.label not in given]
            if not all(matcher.matches(given[matcher.label]) for matcher in matchers if matcher not in rest):
                continue
            for place, entry in enumerate(names.entries(intern)):
                if all(matcher.accepts(entry.labels) for matcher in rest):
                    found.append((names.first + place, entry.labels))
        return Chosen(np.array([number for number, _ in found], np.int64), tuple(x for _, x in found))


def read_tables(connection: sqlite3.Connection) -> dict[str, dict[int, Row]]:
    """The intact rows of all tables but the cells.  Raises sqlite3.Error."""
    tables: dict[str, dict[int, Row]] = {}
    for table, names in COLUMNS.items():
        rows: Iterable[Row] = connection.execute(f"SELECT id, {', '.join(names)}, crc FROM {table}")  # noqa: S608
        tables[table] = {row[0]: row for row in rows if intact(table, row)}
    return tables


def whole(tables: Tables) -> bool:
    """Whether all is there that `state` counts."""
    return bool(tables[STATE]) and not _missing(tables)


def understand(tables: Tables, tier: Tier) -> Contents:
    """Make sense of rows; those that hang on lost ones are left out."""
    state = tables[STATE].get(1)
    targets = {number: unpack_labels(row[1])[0] for number, row in tables[TARGET].items()}
    metrics = {number: _metric(row) for number, row in tables[METRIC].items()}
    names = []
    for number, row in sorted(tables[NAMES].items()):
        _, target, metric, _, packed, _ = row
        if target in targets and metric in metrics:
            names.append(Names(number, targets[target], *metrics[metric], packed))
    slots: dict[Labels, dict[int, Slot]] = {}
    for number, row in tables[SLOT].items():
        _, target, slot, written, times, series, _ = row
        if target in targets:
            slots.setdefault(targets[target], {})[slot] = Slot(number, slot, written, times, series)
    lost = tuple(_missing(tables)) if state else ("its state", *_missing(tables))
    used = max((number + row[3] - 1 for number, row in tables[NAMES].items()), default=0)
    version = state[2] if state else -1
    return Contents(tier, version, targets, metrics, names, slots, used, lost)


def nothing(tier: Tier) -> Contents:
    """What a file holds that is going to be written for the first time."""
    tables: dict[str, dict[int, Row]] = {table: {} for table in COLUMNS}
    tables[STATE][1] = sealed(STATE, 1, (FORMAT, 0, 0, 0, 0, 0))
    return understand(tables, tier)


def _metric(row: Row) -> tuple[str, Metric]:
    name, family, kind, unit, text = (part.decode(errors="surrogatepass") for part in row[1:-1])
    return name, Metric(family, Kind(kind), text, unit)


def _missing(tables: Tables) -> list[str]:
    """What of each table is not there, in words."""
    state = tables[STATE].get(1, (1, 0, 0, 0, 0, 0, 0, 0))
    _, _, _, targets, metrics, series, slots, _ = state
    held = sum(row[3] for row in tables[NAMES].values())
    gone = {
        "targets": targets - len(tables[TARGET]),
        "metrics": metrics - len(tables[METRIC]),
        "names of series": series - held,
        "slots of a target": slots - len(tables[SLOT]),
    }
    return [f"{count} {what}" for what, count in gone.items() if count > 0]
