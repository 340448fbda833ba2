"""The logs of one tier: one for each slot whose rows are not all in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from monitor.model import Floats, Labels
from monitor.storage import repair
from monitor.storage.log import Log, Row, recycle
from monitor.storage.schema import Damage
from monitor.storage.tier import Entry, Tier


class Logs:
    """Used by one thread.  Raises OSError where the disk does not take it."""

    def __init__(self, folder: Path, tier: Tier, report: Callable[[Damage], None]) -> None:
        """`report` is told what is damaged."""
        self._folder, self._tier, self._report = folder, tier, report
        self._name = re.compile(rf"{tier.name}-(-?\d+)\.log")
        self._logs: dict[int, Log] = {}
        self._targets: dict[int, set[Labels]] = {}
        """By slot, those with rows that are in the log only."""
        self._begun: int | None = None
        """The highest slot whose log was begun by this process."""
        self._named = True
        """Whether the names of the logs are on the disk, too."""

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
        if not self._named:
            repair.sync(self._folder)
            self._named = True

    def closed(self, slot: int, target: Labels) -> None:
        """The rows of a target in a slot are in a file."""
        targets = self._targets.get(slot)
        if targets is not None:
            targets.discard(target)
        if not targets and slot in self._logs:
            recycle(self._logs.pop(slot), self._spare)
            self._targets.pop(slot, None)

    def replay(self) -> Iterator[tuple[int, Row]]:
        """What earlier processes left, slot by slot; what of it is damaged is reported."""
        self._spare.unlink(missing_ok=True)
        for path in sorted(self._folder.iterdir()):
            found = self._name.fullmatch(path.name)
            if found:
                slot = int(found[1])
                for row in self._rows(path, slot):
                    yield slot, row

    def _rows(self, path: Path, slot: int) -> Iterator[Row]:
        try:
            log = Log(path, slot, len(self._tier.aspects))
            self._logs[slot] = log
            targets = self._targets[slot] = set()
            for row in log.replay():
                targets.add(row.target)
                yield row
        except OSError as error:
            self._report(Damage(path, f"cannot be read: {error}", None))
            return
        for between in log.lost:
            self._report(Damage(path, "some of its rows", between))
        if not targets:
            recycle(self._logs.pop(slot), self._spare)

    def close(self) -> None:
        """Have all of it on the disk, and let go of it."""
        self.sync()
        for log in self._logs.values():
            log.close()
        self._logs.clear()

    @property
    def _spare(self) -> Path:
        return self._folder / f"{self._tier.name}.spare"

    def _begin(self, slot: int) -> Log:
        path = self._folder / f"{self._tier.name}-{slot:010}.log"
        # Of a slot that is begun again, what the spare still holds could be taken for this log's.
        if self._begun is None or slot > self._begun:
            self._begun = slot
            if self._spare.exists() and not path.exists():
                self._spare.rename(path)
        self._named = False
        return Log(path, slot, len(self._tier.aspects))
