"""All that is kept, as one Storage (see `monitor.storage`): files, what is not in files yet, and the head.

Its calls block: they are for threads that nobody waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple, NoReturn, TypeVar

import numpy as np

from monitor.model import Labels, Metric, Scrape, Times
from monitor.storage import FINEST, Look, Selection, SeriesSet, Storage, TooManyError
from monitor.storage.contents import Chosen, Contents, Slot
from monitor.storage.join import Gathering, join, size
from monitor.storage.plan import Plan, preference
from monitor.storage.present import Present
from monitor.storage.shelf import Shelf
from monitor.storage.sources import Live, Loose, Matched, Matchers, Source, Stored, Within, fetch
from monitor.storage.tier import HOURS, RAW, TIERS, Slab, Tier
from monitor.storage.volume import ChangedError, Volume

FOREVER = 1 << 62
TRIES = 5
"""Times that a read begins anew because a file was written meanwhile; that happens every few minutes."""
REMEMBERED = 256
"""Sets of series that are given again where they are the same again."""

Read = TypeVar("Read")


class Unstored(NamedTuple):
    """What a read may take its rows from besides files; read before these, as rows move there meanwhile."""

    live: list[Selection]
    loose: dict[Tier, list[Loose]]

    @property
    def targets(self) -> list[Labels]:
        """Those with a series that matches."""
        found = [selection.target for selection in self.live]
        loose = chain.from_iterable(self.loose.values())
        return found + [each.slab.target for each in loose if len(each.columns)]

    def sources(self, tier: Tier, target: Labels) -> list[Source]:
        """Those of a resolution and target."""
        loose = [each for each in self.loose[tier] if each.slab.target == target]
        live = [Live(each) for each in self.live if tier is RAW and each.target == target]
        return [*loose, *live]


class History(Storage):
    """Reads whatever the shelf has, and what is newer."""

    def __init__(
        self,
        shelf: Shelf,
        open_slabs: Callable[[Tier], Sequence[Slab]],
        head: Callable[[Matchers, int, int], list[Selection]],
    ) -> None:
        """`open_slabs` gives what is in no file yet, of a resolution, never written to once it is given;
        `head` gives the newest samples.  Both are called in the reader's thread."""
        self._shelf, self._open_slabs, self._head = shelf, open_slabs, head
        self._series: dict[tuple[Labels, Matchers], SeriesSet] = {}
        self._matched = Matched(REMEMBERED)

    def append(self, scrape: Scrape) -> NoReturn:
        """Raises TypeError: what is kept is written by the store's own thread."""
        raise TypeError(f"scrape of {scrape.target} for the past; expected an append to the store itself")

    def select(self, matchers: Matchers, start: int, end: int, look: Look = FINEST) -> list[Selection]:
        """See `Storage`.  Raises OSError where a file is held by another process for long."""
        return again(lambda: self._select(matchers, start, end, look, preference(look.grain)))

    def samples(self, matchers: Matchers, start: int, end: int) -> list[Selection]:
        """What `select` gives of samples alone, whatever else there is.  Raises OSError as it does."""
        return again(lambda: self._select(matchers, start, end, FINEST, [RAW]))

    def _select(
        self, matchers: Matchers, start: int, end: int, look: Look, tiers: list[Tier]
    ) -> list[Selection]:
        unstored = self._unstored(matchers, start, end, tiers)
        found = {target: Gathering(start, end) for target in unstored.targets}
        for tier in tiers:
            files = list(self._shelf.readable(tier, start, end))
            stored_too = chain.from_iterable(contents.slots for _, contents in files)
            for target in dict.fromkeys([*found, *stored_too]):
                gathering = found.setdefault(target, Gathering(start, end))
                if gathering.wants(tier):
                    stored = self._stored(files, target, matchers, gathering.plan)
                    gathering.look(tier, [*stored, *unstored.sources(tier, target)])
        needed = sum(size(each.parts, look.aspects, each.plan.reach) for each in found.values())
        if look.most and needed > look.most:
            raise TooManyError(f"{needed:,} numbers, expected {look.most:,} at most")
        fetch([part.source for gathering in found.values() for part in gathering.parts])
        selections = [
            join(each.parts, look.aspects, each.plan.reach, target, partial(self._set, target, matchers))
            for target, each in found.items()
        ]
        return [selection for selection in selections if selection is not None]

    def _unstored(self, matchers: Matchers, start: int, end: int, tiers: Iterable[Tier]) -> Unstored:
        live = self._head(matchers, start, end)
        loose: dict[Tier, list[Loose]] = {}
        for tier in tiers:
            slabs = [slab for slab in self._open_slabs(tier) if len(slab.times)]
            loose[tier] = [Loose(slab, self._matched.columns(slab, matchers)) for slab in slabs]
        return Unstored(live, loose)

    def _stored(
        self, files: list[tuple[Volume, Contents]], target: Labels, matchers: Matchers, plan: Plan
    ) -> Iterator[Stored]:
        """The slots of a target that may have rows in the range which are not given already."""
        for volume, contents in files:
            slots, length = contents.slots.get(target, {}), volume.tier.slot
            if not slots or plan.covers(min(slots) * length, (max(slots) + 1) * length):
                continue
            lacking = [at for at in sorted(slots) if not plan.covers(at * length, (at + 1) * length)]
            if lacking:
                within = Within(self._choose(matchers, contents, target))
                yield from (Stored(volume, contents, slots[at], within(slots[at])) for at in lacking)

    def _choose(self, matchers: Matchers, contents: Contents, target: Labels) -> Chosen:
        return contents.choose(matchers, target, self._shelf.intern)

    def _set(self, target: Labels, matchers: Matchers, labels: tuple[Labels, ...]) -> SeriesSet:
        """The same object as the last time where these series are the same."""
        known = self._series.pop((target, matchers), None)
        if known is None or known.labels != labels:
            known = SeriesSet(labels)
        while len(self._series) >= REMEMBERED:
            self._series.pop(next(iter(self._series)), None)
        self._series[target, matchers] = known
        return known

    def series(self, matchers: Matchers, start: int, end: int) -> list[Labels]:
        """Label sets (with `__name__`) of matching series that have a sample in the range.

        Reads names alone, but for the ends of the range.  Raises OSError as `select` does.
        """
        return again(lambda: self._present(matchers, start, end))

    def _present(self, matchers: Matchers, start: int, end: int) -> list[Labels]:
        unstored, present = self._unstored(matchers, start, end, TIERS), Present(start, end)
        for selection in unstored.live:
            present.live(selection)
        for loose in chain.from_iterable(unstored.loose.values()):
            present.loose(loose)
        for tier in TIERS:
            if Plan(start, end).open_to(tier):
                for file in self._shelf.readable(tier, start, end):
                    present.stored(*file, partial(self._choose, matchers))
        return present.all()

    def measured(self, start: int, end: int) -> Times:
        """See `Storage`.  Reads no file but for what it holds.  Raises OSError as `select` does."""
        return again(lambda: self._measured(start, end))

    def _measured(self, start: int, end: int) -> Times:
        """The newest first, as in `_select`; a rolled-up row where nothing finer has its time."""
        wider = start - HOURS.step, end + HOURS.step
        live = [selection.timestamps for selection in self._head((), *wider)]
        times = {tier: [slab.times for slab in self._open_slabs(tier)] for tier in TIERS}
        times[RAW] += live
        spans: list[Times] = []
        known: Times = np.zeros(0, np.int64)
        for tier in TIERS:
            for _, contents in self._shelf.readable(tier, *wider):
                times[tier] += [slot.times for slot in slots_in(contents, *wider)]
            own = np.setdiff1d(np.concatenate([known, *times[tier]]), known)
            spans.append(np.stack((own - tier.step, own + tier.step), axis=1))
            known = np.union1d(known, own)
        found = np.concatenate(spans)
        return found[(found[:, 1] >= start) & (found[:, 0] <= end)]

    def metadata(self) -> dict[str, Metric]:
        """Metric by name, for all that is stored; the newest of each."""
        found: dict[str, Metric] = {}
        for tier in reversed(TIERS):
            for _, contents in self._shelf.readable(tier):
                found.update((metric.name, metric) for _, metric in contents.metrics.values())
            for slab in self._open_slabs(tier):
                found.update((entry.metric.name, entry.metric) for entry in slab.entries)
        return found

    def oldest(self) -> int | None:
        """Time of the oldest row held, in milliseconds; None while empty."""
        times = [int(slab.times[0]) for tier in TIERS for slab in self._open_slabs(tier) if len(slab.times)]
        times += [int(selection.timestamps[0]) for selection in self._head((), 0, FOREVER)]
        for tier in TIERS:
            first = next((contents for _, contents in self._shelf.readable(tier) if contents.slots), None)
            if first is not None:
                times += [int(known[min(known)].times[0]) for known in first.slots.values()]
        return min(times, default=None)


def again(read: Callable[[], Read]) -> Read:
    """What a read gives, once no file is written meanwhile.  Raises OSError where there always is one."""
    for _ in range(TRIES):
        try:
            return read()
        except (ChangedError, FileNotFoundError):
            continue
    raise OSError(f"history was written {TRIES} times while it was read; ask again")


def slots_in(contents: Contents, start: int, end: int) -> Iterator[Slot]:
    """Those of all targets that may have rows with start <= time <= end."""
    first, last = contents.tier.slot_at(start), contents.tier.slot_at(end)
    for known in contents.slots.values():
        yield from (slot for number, slot in known.items() if first <= number <= last)
