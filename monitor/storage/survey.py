"""What a folder of history holds, counted: files, times, series, samples, bytes, and what takes most."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.model import Labels
from monitor.storage.codec import present
from monitor.storage.connections import Connections
from monitor.storage.contents import Contents, Slot
from monitor.storage.logged import logs
from monitor.storage.repair import take_back
from monitor.storage.schema import CELL, UNREADABLE, cell_number, columns
from monitor.storage.shelf import FOREVER, Shelf, size_of
from monitor.storage.tier import TIERS, Tier
from monitor.storage.verify import unheard
from monitor.storage.volume import Volume, refuse_passing

Progress = Callable[[int, int], None]
GAPS = 1 << 16
"""Bytes of a cell in which it says where there is no sample, at most."""


@dataclass
class Share:
    """What one resolution takes."""

    tier: Tier
    files: int = 0
    first: int | None = None
    """Time of the oldest row (ms)."""
    last: int | None = None
    series: int = 0
    """Different ones."""
    rows: int = 0
    """Of all targets."""
    samples: int = 0
    bytes: int = 0
    """Of the files."""
    logged: int = 0
    """Bytes of the logs."""
    metrics: Counter[str] = field(default_factory=Counter)
    """Bytes of the values by name."""

    @property
    def per_sample(self) -> float | None:
        """Bytes of the files for each sample."""
        return self.bytes / self.samples if self.samples else None


def survey(folder: Path, progress: Progress) -> list[Share]:
    """Each resolution's share; a service may run meanwhile.  Of what is damaged that counts which is read."""
    take_back(folder)
    shelf = Shelf(folder, unheard)
    connections = Connections()
    shares = [Share(tier) for tier in TIERS]
    total, done = max(1, shelf.size()), 0
    try:
        for share in shares:
            seen: set[Labels] = set()
            for volume, contents in shelf.readable(share.tier, -FOREVER, FOREVER):
                add(share, volume, contents, connections)
                seen.update(series_of(contents, shelf))
                done += size_of(volume.path)
                progress(done, total)
            share.series = len(seen)
            share.logged = sum(size_of(log.path) for log in logs(folder) if log.tier is share.tier)
    finally:
        connections.close()
        shelf.close()
    return shares


def series_of(contents: Contents, shelf: Shelf) -> Iterator[Labels]:
    for names in contents.names:
        yield from (entry.labels for entry in names.entries(shelf.intern))


def add(share: Share, volume: Volume, contents: Contents, connections: Connections) -> None:
    """Count one file."""
    share.files += 1
    share.bytes += size_of(volume.path)
    known = [(target, slot) for target, slots in contents.slots.items() for slot in slots.values()]
    if not known:
        return
    rows = {slot.number: slot.times for _, slot in known}
    times = [time for held in rows.values() if len(held) for time in (int(held[0]), int(held[-1]))]
    share.rows += sum(map(len, rows.values()))
    share.first = min([*times, *([] if share.first is None else [share.first])])
    share.last = max([*times, *([] if share.last is None else [share.last])])
    cells = dict(sizes(volume, connections))
    named = names_of(contents)
    for _, slot in known:
        count(share, slot, len(rows[slot.number]), cells, named)


def count(
    share: Share, slot: Slot, rows: int, cells: dict[int, tuple[int, Any]], named: dict[int, str]
) -> None:
    for series in slot.series.tolist():
        size, head = cells.get(cell_number(slot.slot, series), (0, None))
        share.samples += present(head, rows)
        share.metrics[named.get(series, "?")] += size


def names_of(contents: Contents) -> dict[int, str]:
    """The name of each series by its id."""
    found: dict[int, str] = {}
    for names in contents.names:
        held = len(names.entries(lambda labels: labels))
        found.update(dict.fromkeys(range(names.first, names.first + held), names.name))
    return found


def sizes(volume: Volume, connections: Connections) -> Iterator[tuple[int, tuple[int, Any]]]:
    """Each cell's id, its bytes, and the beginning of its last samples, which tells how many there are."""
    names = columns(CELL, volume.tier)
    bytes_of = " + ".join(f"CASE typeof({name}) WHEN 'blob' THEN length({name}) ELSE 8 END" for name in names)
    head = f"CASE typeof(last) WHEN 'blob' THEN substr(last, 1, {GAPS}) ELSE last END"
    try:
        with connections.lend(volume.path, volume.tier) as connection:
            for number, size, first in connection.execute(f"SELECT id, {bytes_of}, {head} FROM {CELL}"):  # noqa: S608
                yield number, (size, first)
    except UNREADABLE as error:
        if isinstance(error, sqlite3.OperationalError):
            refuse_passing(error, volume.path)
