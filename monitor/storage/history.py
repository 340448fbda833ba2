"""All that is kept, as one Storage (see `monitor.storage`): files, what is not in files yet, and the head.

Its calls block: they are for threads that nobody waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple, NoReturn, TypeVar

import numpy as np

from monitor.model import Labels, Metric, Scrape
from monitor.storage import FINEST, Look, Selection, SeriesSet, Storage
from monitor.storage.contents import Chosen, Contents
from monitor.storage.join import Part, join
from monitor.storage.plan import Plan, preference
from monitor.storage.present import Present
from monitor.storage.shelf import Shelf
from monitor.storage.sources import Live, Loose, Matched, Matchers, Source, Stored, fetch
from monitor.storage.tier import RAW, TIERS, Slab, Tier
from monitor.storage.volume import ChangedError, Volume

NOTHING_CHOSEN = Chosen(np.zeros(0, np.int64), ())
FOREVER = 1 << 62
TRIES = 5
"""Times that a read begins anew because a file was written meanwhile; that happens every few minutes."""
REMEMBERED = 256
"""Sets of series that are given again where they are the same again."""

Read = TypeVar("Read")


class File(NamedTuple):
    """A file, and what is wanted of it."""

    volume: Volume
    contents: Contents
    chosen: dict[Labels, Chosen]


class Found:
    """All that a read may take its rows from."""

    def __init__(self, matchers: Matchers, start: int, end: int) -> None:
        self.matchers, self.start, self.end = matchers, start, end
        self.live: list[Selection] = []
        self.loose: dict[Tier, list[Loose]] = {}
        self.stored: dict[Tier, list[File]] = {}

    @property
    def targets(self) -> list[Labels]:
        """Those with a series that matches, anywhere."""
        loose = chain.from_iterable(self.loose.values())
        stored = chain.from_iterable(self.stored.values())
        found = [selection.target for selection in self.live]
        found += [each.slab.target for each in loose if len(each.columns)]
        found += [target for file in stored for target in file.chosen]
        return list(dict.fromkeys(found))


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
        return again(lambda: self._select(matchers, start, end, look))

    def _select(self, matchers: Matchers, start: int, end: int, look: Look) -> list[Selection]:
        found = self._find(matchers, start, end)
        plans = {target: (Plan(start, end), list[Part]()) for target in found.targets}
        for tier in preference(look.grain):
            for target, (plan, parts) in plans.items():
                for source in self._sources(found, tier, target, plan):
                    taken = plan.take(tier, source.times)
                    if taken is not None:
                        parts.append(Part(source, taken))
                plan.next_tier()
        fetch([part.source for _, parts in plans.values() for part in parts])
        selections = [
            join(parts, look.aspects, plan.reach, target, partial(self._set, target, matchers))
            for target, (plan, parts) in plans.items()
        ]
        return [selection for selection in selections if selection is not None]

    def _find(self, matchers: Matchers, start: int, end: int) -> Found:
        """The newest first: what moves to a file meanwhile is met twice, never missed."""
        found = Found(matchers, start, end)
        found.live = self._head(matchers, start, end)
        for tier in TIERS:
            slabs = [slab for slab in self._open_slabs(tier) if len(slab.times)]
            found.loose[tier] = [Loose(slab, self._matched.columns(slab, matchers)) for slab in slabs]
        for tier in TIERS:
            found.stored[tier] = [
                File(volume, contents, contents.choose(matchers, self._shelf.intern))
                for volume, contents in self._shelf.readable(tier, start, end)
            ]
        return found

    def _sources(self, found: Found, tier: Tier, target: Labels, plan: Plan) -> Iterator[Source]:
        for file in found.stored[tier]:
            yield from slots(file, target, found.start, found.end, plan)
        for loose in found.loose[tier]:
            if loose.slab.target == target:
                yield loose
        if tier is RAW:
            for selection in found.live:
                if selection.target == target:
                    yield Live(selection)

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
        found, present = self._find(matchers, start, end), Present(start, end)
        for selection in found.live:
            present.live(selection)
        for tier in TIERS:
            for loose in found.loose[tier]:
                present.loose(loose)
            for file in found.stored[tier]:
                present.stored(*file)
        return present.all()

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


def slots(file: File, target: Labels, start: int, end: int, plan: Plan) -> Iterator[Stored]:
    """The slots of a target that may have rows in a range which are not given already."""
    tier, known = file.volume.tier, file.contents.slots.get(target, {})
    if not known or plan.covers(min(known) * tier.slot, (max(known) + 1) * tier.slot):
        return
    chosen = file.chosen.get(target, NOTHING_CHOSEN)
    for number in sorted(known):
        asked = tier.slot_at(start) <= number <= tier.slot_at(end)
        if asked and not plan.covers(number * tier.slot, (number + 1) * tier.slot):
            yield Stored(file.volume, file.contents, known[number], chosen)
