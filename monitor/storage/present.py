"""Which series have a sample in a range of time: names tell, and cells only at the ends of the range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.model import Labels, Times
from monitor.storage import Flags, Selection, is_stale
from monitor.storage.contents import Chosen, Contents, Numbers, Slot
from monitor.storage.head import present_in
from monitor.storage.sources import Loose, Stored, Within, fetch
from monitor.storage.tier import Tier
from monitor.storage.volume import Volume


class Present:
    """Those that were met so far, in the range start <= time <= end (ms)."""

    def __init__(self, start: int, end: int) -> None:
        self._start, self._end = start, end
        self._found: dict[Labels, None] = {}
        self._ends: list[tuple[Volume, Contents, Slot, Chosen]] = []

    def live(self, selection: Selection) -> None:
        """What the head gave."""
        self._meet(selection.series.labels, np.array(present_in(selection), np.bool_))

    def loose(self, source: Loose) -> None:
        """A slab that is not in a file yet."""
        rows = np.flatnonzero(self._within(source.tier, source.times))
        self._meet(source.labels, np.any(~is_stale(source.read(rows, ("last",))[0]), axis=1))

    def stored(
        self, volume: Volume, contents: Contents, choose: Callable[[Contents, Labels], Chosen]
    ) -> None:
        """A file.  Slots at the ends of the range are put off until most of their series are met."""
        tier = volume.tier
        for target in contents.slots:
            each = choose(contents, target)
            whole: list[Numbers] = []
            for number, slot in sorted(contents.slots.get(target, {}).items()):
                if not tier.slot_at(self._start) <= number <= tier.slot_at(self._end):
                    continue
                if self._start <= number * tier.slot + 1 and (number + 1) * tier.slot <= self._end:
                    whole.append(slot.series)
                else:
                    self._ends.append((volume, contents, slot, each))
            if whole:
                self._meet(each.labels, np.isin(each.ids, np.concatenate(whole)))

    def all(self) -> list[Labels]:
        """All of them.  Raises ChangedError."""
        for volume, contents, slot, chosen in self._ends:
            rows = np.flatnonzero(self._within(volume.tier, slot.times))
            places = [place for place, labels in enumerate(chosen.labels) if labels not in self._found]
            if len(rows) and places:
                rest = Chosen(chosen.ids[places], tuple(chosen.labels[place] for place in places))
                source = Stored(volume, contents, slot, Within(rest)(slot))
                fetch([source])
                self._meet(source.labels, np.any(~is_stale(source.read(rows, ("last",))[0]), axis=1))
        return list(self._found)

    def _within(self, tier: Tier, times: Times) -> Flags:
        """Which rows tell of times in the range alone."""
        if not tier.step:
            return (times >= self._start) & (times <= self._end)
        ends = -(-times // tier.step) * tier.step
        return (ends - tier.step >= self._start - 1) & (ends <= self._end)

    def _meet(self, labels: tuple[Labels, ...], present: Flags) -> None:
        self._found.update((labels[place], None) for place in np.flatnonzero(present).tolist())
