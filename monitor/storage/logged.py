"""A log as others than its writer see it, even while it is written: its rows, and what of it is damaged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monitor.model import Labels
from monitor.storage.log import HEAD, ROWS, Frame, Row, Unrolled, frames
from monitor.storage.plan import Places
from monitor.storage.schema import Damage
from monitor.storage.table import STALE
from monitor.storage.tier import TIERS, Entry, Slab, Tier


class Logged(NamedTuple):
    """A log of a folder."""

    path: Path
    tier: Tier
    slot: int

    def rows(self) -> Iterator[Row]:
        """Those that can be read; the newest may be half written and is left out then."""
        unrolled = Unrolled(len(self.tier.aspects))
        for _, frame in self._frames(self.path.read_bytes()):
            row = unrolled.take(frame)
            if row:
                yield row

    def damage(self) -> list[Damage]:
        """What lies between two rows and is none, with the time of the rows that are lost by it.

        Behind the last row is what an earlier slot left, or a row that was cut off when the power was.
        """
        found: list[Damage] = []
        unrolled = Unrolled(len(self.tier.aspects))
        end, time, broken = 0, self.slot * self.tier.slot, False
        for place, frame in self._frames(self.path.read_bytes()):
            row = unrolled.take(frame)
            if place > end:
                found.append(Damage(self.path, f"bytes {end} to {place - 1} are no rows", (time, frame.time)))
            elif broken and frame.kind in ROWS and row is None:
                # It tells what changed since a row that is lost.
                found[-1] = found[-1]._replace(when=((found[-1].when or (0, 0))[0], frame.time))
            broken = place > end or (broken and row is None)
            end, time = place + size(frame), frame.time
        return found

    def mend(self) -> None:
        """Put a log with what is intact in the place of this one; for who holds the folder."""
        content = self.path.read_bytes()
        fresh = self.path.with_suffix(".mend")
        with fresh.open("wb") as file:
            for place, frame in self._frames(content):
                file.write(content[place : place + size(frame)])
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)

    def _frames(self, content: bytes) -> Iterator[tuple[int, Frame]]:
        return frames(content, self.slot & 0xFFFFFFFF)


def size(frame: Frame) -> int:
    """Bytes of a frame in its log."""
    return HEAD.size + len(frame.body)


def logs(folder: Path) -> list[Logged]:
    """The logs of a folder, by resolution and slot."""
    return [
        Logged(path, tier, int(path.stem.removeprefix(f"{tier.name}-")))
        for tier in TIERS
        for path in sorted(folder.glob(f"{tier.name}-*.log"))
    ]


def slab_of(tier: Tier, target: Labels, slot: int, rows: Iterable[Row]) -> Slab:
    """The rows of a log as one slab; each process that wrote to the log had an order of its own."""
    ordered = sorted(rows, key=lambda row: row.time)
    series: dict[Labels, Entry] = {}
    orders: dict[int, Places] = {}
    for row in ordered:
        if id(row.entries) not in orders:
            series.update((entry.labels, entry) for entry in row.entries if entry.labels not in series)
            known = {labels: place for place, labels in enumerate(series)}
            orders[id(row.entries)] = np.array([known[entry.labels] for entry in row.entries], np.intp)
    aspects = len(tier.aspects)
    values = np.full((aspects, len(ordered), len(series)), STALE)
    for number, row in enumerate(ordered):
        held = row.values.reshape(-1, aspects).T
        values[:, number, orders[id(row.entries)][: held.shape[1]]] = held
    times = np.array([row.time for row in ordered], np.int64)
    return Slab(tier, target, slot, times, tuple(series.values()), values)
