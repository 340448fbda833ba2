"""A folder of history as long use leaves it, made in a minute or two: for what depends on how much there is.

It is what a kill leaves behind: slots that are over in files, the newest rows of each resolution in logs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol
from unittest.mock import patch

import numpy as np

from benchmarks.past import TARGET
from benchmarks.recording import Recording
from monitor.model import Floats, Kind, Metric, Times
from monitor.storage import draft
from monitor.storage.codec import pack_whole, unpack_whole
from monitor.storage.logs import Logs
from monitor.storage.open import Open
from monitor.storage.register import stored_labels
from monitor.storage.rollup import merged, rolled_up
from monitor.storage.schema import SLOT, Value, connect, sealed
from monitor.storage.shelf import Shelf, log_damage
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, RAW, SECOND, SPAN, TIERS, Entry, Slab, Tier

DAY = 24 * HOUR
QUARTER = 15 * MINUTE
MONTH = 30
"""Days."""


class Life(Protocol):
    """What was measured, made up."""

    @property
    def alike(self) -> bool:
        """Whether the rows of all slots of a resolution are the same."""

    @property
    def kept(self) -> dict[Tier, int]:
        """Milliseconds of each resolution that are stored."""

    def slabs(self, tier: Tier, slot: int) -> list[Slab]:
        """All rows of a slot."""


class Steady:
    """The first hours of a recording, over again in each slot; kept as long as it is by default."""

    alike = True

    def __init__(self, recording: Recording, share: float = 1) -> None:
        """`share` of what is kept by default."""
        self.kept = shares(share, {RAW: 7 * DAY, MINUTES: 90 * DAY, HOURS: 365 * DAY})
        self._entries = tuple(
            Entry(stored_labels(series, TARGET), metric) for metric, series in recording.entries
        )
        counters = np.array([metric.kind is Kind.COUNTER for metric, _ in recording.entries])
        samples = recording.rows(0, MINUTES.slot // SECOND)
        before = np.vstack([samples[:1], samples[59:-1:60]])
        minutes = np.stack(
            [rolled_up(samples[60 * at : 60 * at + 60], row, counters) for at, row in enumerate(before)],
            axis=1,
        )
        hours = [merged(minutes[:, at : at + 60]) for at in range(0, len(before), 60)]
        again = HOURS.slot // HOUR // len(hours)
        self._values: dict[Tier, Floats] = {
            RAW: samples[None, : RAW.slot // SECOND],
            MINUTES: minutes,
            HOURS: np.stack(hours * again, axis=1),
        }

    def slabs(self, tier: Tier, slot: int) -> list[Slab]:
        step = tier.step or SECOND
        times = np.arange(slot * tier.slot + step, (slot + 1) * tier.slot + 1, step)
        return [Slab(tier, TARGET, slot, times, self._entries, self._values[tier])]


class Visits(NamedTuple):
    """Series that come, are there for a quarter of an hour, and are never seen again."""

    month: int
    """How many come in a month."""
    share: float = 1
    """Of that month, as much as is stored."""
    metrics: int = 8
    """Of each visitor."""

    @property
    def alike(self) -> bool:
        return False

    @property
    def kept(self) -> dict[Tier, int]:
        return shares(self.share, {RAW: 7 * DAY, MINUTES: MONTH * DAY, HOURS: MONTH * DAY})

    def slabs(self, tier: Tier, slot: int) -> list[Slab]:
        """A slab for the visits of each quarter, or of all the quarters of an hour."""
        step = tier.step or SECOND
        length = max(QUARTER, step)
        found = []
        for begin in range(slot * tier.slot, (slot + 1) * tier.slot, length):
            times: Times = np.arange(begin + step, begin + length + 1, step)
            entries = tuple(self._entries(begin // QUARTER, (begin + length) // QUARTER))
            values = np.ones((len(tier.aspects), len(times), len(entries)))
            found.append(Slab(tier, TARGET, slot, times, entries, values))
        return found

    def _entries(self, first: int, end: int) -> Iterator[Entry]:
        visitors = self.month * QUARTER // (MONTH * DAY * self.metrics)
        for number in range(first * visitors, end * visitors):
            for which in range(self.metrics):
                metric = Metric(f"visit_{which}", Kind.GAUGE, "What a visitor has.")
                yield Entry((("__name__", metric.name), *TARGET, ("visitor", f"{number:010x}")), metric)


def shares(share: float, kept: dict[Tier, int]) -> dict[Tier, int]:
    return {tier: round(share * length) for tier, length in kept.items()}


def grow(folder: Path, life: Life, end: int) -> None:
    """Fill a folder with all that there is at a time (ms)."""
    folder.mkdir(parents=True)
    shelf = Shelf(folder)
    with patch.object(draft, "encoded", once(draft.encoded)):
        fill(shelf, life, end)
    for tier in TIERS:
        log(folder, life.slabs(tier, tier.slot_at(end)), end)
    shelf.close()


def fill(shelf: Shelf, life: Life, end: int) -> None:
    """The slots that are over."""
    for tier in TIERS:
        newest, oldest = tier.slot_at(end), tier.slot_at(end - life.kept[tier])
        whole = oldest // SPAN + 1
        for span in range(oldest // SPAN, newest // SPAN + 1):
            if whole < span < newest // SPAN and life.alike:
                copy(shelf.path(tier, whole), shelf.path(tier, span), tier, span - whole)
            else:
                for slot in range(max(oldest, span * SPAN), min(newest, (span + 1) * SPAN)):
                    shelf.put(*life.slabs(tier, slot))


def once(encode: Callable[[Floats], list[Value]]) -> Callable[[Floats], list[Value]]:
    """The same, worked out once for each of the columns that there are: here they are few."""
    known: dict[bytes, list[Value]] = {}

    def found(columns: Floats) -> list[Value]:
        key = columns.tobytes()
        if key not in known:
            known[key] = encode(columns)
        return known[key]

    return found


def copy(there: Path, here: Path, tier: Tier, later: int) -> None:
    """A file once more, as one that is so many files later."""
    shutil.copyfile(there, here)
    with closing(connect(here, tier, write=True)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        for number, target, slot, written, times, series, _ in connection.execute(
            f"SELECT * FROM {SLOT}"
        ).fetchall():
            moved = pack_whole(unpack_whole(times) + later * SPAN * tier.slot)
            row = sealed(SLOT, number, (target, slot + later * SPAN, written, moved, series))
            connection.execute(f"INSERT OR REPLACE INTO {SLOT} VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("COMMIT")


def log(folder: Path, slabs: list[Slab], end: int) -> None:
    """The rows of a slot up to a time, as they were logged one by one."""
    tier, target, slot = slabs[0].tier, slabs[0].target, slabs[0].slot
    opened, logs = Open(tier, target, slot), Logs(folder, tier, log_damage)
    for slab in slabs:
        for row in range(int(slab.times.searchsorted(end, "right"))):
            opened.append(int(slab.times[row]), opened.place(slab.entries), slab.values[:, row])
            for time, values in opened.unlogged():
                logs.write(slot, target, time, opened.entries, values.T.ravel())
                opened.logged += 1
    logs.close()
