"""The logs of one tier: one for each slot whose rows are not all in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitor.model import Floats, Labels
from monitor.storage.log import Log, Row, recycle
from monitor.storage.tier import Entry, Tier


class Logs:
    """Used by one thread.  Raises OSError where the disk does not take it."""

    def __init__(self, folder: Path, tier: Tier) -> None:
        self._folder, self._tier = folder, tier
        self._logs: dict[int, Log] = {}
        self._targets: dict[int, set[Labels]] = {}
        """By slot, those with rows that are in the log only."""

    def write(self, slot: int, target: Labels, time: int, entries: list[Entry], values: Floats) -> None:
        """See Log.write."""
        log = self._logs.get(slot)
        if log is None:
            log = self._logs[slot] = self._begin(slot)
        self._targets.setdefault(slot, set()).add(target)
        log.write(target, time, entries, values)

    def sync(self) -> None:
        """Have all of it on the disk."""
        for log in self._logs.values():
            log.sync()

    def closed(self, slot: int, target: Labels) -> None:
        """The rows of a target in a slot are in a file."""
        targets = self._targets.get(slot)
        if targets is not None:
            targets.discard(target)
        if not targets and slot in self._logs:
            recycle(self._logs.pop(slot), self._spare)
            self._targets.pop(slot, None)

    def replay(self) -> Iterator[tuple[int, Row]]:
        """What earlier processes left, slot by slot."""
        for path in sorted(self._folder.glob(f"{self._tier.name}-*.log")):
            slot = int(path.stem.removeprefix(f"{self._tier.name}-"))
            log = self._logs[slot] = Log(path, slot, len(self._tier.aspects))
            targets = self._targets[slot] = set()
            for row in log.replay():
                targets.add(row.target)
                yield slot, row
            if not targets:
                recycle(self._logs.pop(slot), self._spare)

    def close(self) -> None:
        """Have all of it on the disk, and let go of it."""
        for log in self._logs.values():
            log.sync()
            log.close()
        self._logs.clear()

    @property
    def _spare(self) -> Path:
        return self._folder / f"{self._tier.name}.spare"

    def _begin(self, slot: int) -> Log:
        path = self._folder / f"{self._tier.name}-{slot:010}.log"
        if self._spare.exists() and not path.exists():
            self._spare.rename(path)
        return Log(path, slot, len(self._tier.aspects))
