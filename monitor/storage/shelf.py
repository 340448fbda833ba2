"""The folder that history is kept in: for each resolution one file per span of time.

A span of time goes by unlinking its file: that needs no room, gives all of it back at once, and takes the
names of vanished series along.  What is broken is broken in one file.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock

from monitor.model import Labels
from monitor.storage.connections import Connections
from monitor.storage.contents import Contents
from monitor.storage.repair import repair
from monitor.storage.schema import STATE, UNREADABLE, Damage, DamagedError, NewerError, connect
from monitor.storage.span import Span
from monitor.storage.tier import SPAN, TIERS, Slab, Tier
from monitor.storage.volume import Volume

_NAME = re.compile(r"(?P<tier>[a-z0-9]+)-(?P<span>-?\d+)\.db")
_BY_NAME = {tier.name: tier for tier in TIERS}
REMEMBERED = 100_000
"""Label sets that are kept once for all files."""
FOREVER = 1 << 62
TOLD = 10_000
"""Damages that are remembered."""

logger = logging.getLogger(__name__)


def log_damage(damage: Damage) -> None:
    """Say what is lost."""
    logger.error("history is damaged: %s; the rest is served", damage)


class Shelf:
    """Files of all resolutions.  One thread writes (put, retain); any may read."""

    def __init__(self, folder: Path, report: Callable[[Damage], None] = log_damage) -> None:
        """Lists the folder, opens nothing.  `report` is told each damage once, in the thread that met it."""
        self.folder = folder
        self._report = report
        self._connections = Connections()
        self._lock = Lock()
        self._labels: dict[Labels, Labels] = {}
        self._writers: dict[Tier, tuple[int, Span]] = {}
        self._told: dict[Damage, None] = {}
        self._volumes: dict[Tier, dict[int, Volume]] = {tier: {} for tier in TIERS}
        for path in folder.iterdir():
            found = _NAME.fullmatch(path.name)
            if found and found["tier"] in _BY_NAME:
                self._add(_BY_NAME[found["tier"]], int(found["span"]), path)

    def take_back(self) -> None:
        """Undo what a killed writer was about to write: a reader may not, and would take it for damage."""
        for tier, volumes in self._volumes.items():
            for volume in volumes.values():
                if journal_of(volume.path).exists():
                    with suppress(*UNREADABLE), closing(connect(volume.path, tier, write=True)) as connection:
                        connection.execute(f"SELECT count(*) FROM {STATE}").fetchone()  # noqa: S608

    @property
    def damage(self) -> list[Damage]:
        """What was found damaged since the start, the oldest first."""
        with self._lock:
            return list(self._told)

    def put(self, *slabs: Slab, anew: bool = False) -> None:
        """Keep rows for good: those of one file in one transaction; slabs of one target and slot have
        different series.

        Where a slot has rows already they are merged, or replaced (`anew`, with all of their series).  A
        damaged file is repaired first.  Raises sqlite3.OperationalError or OSError (a full disk, a read-only
        folder); it may be put again then.
        """
        groups: dict[tuple[Tier, int], list[Slab]] = {}
        for slab in slabs:
            if len(slab.times):
                groups.setdefault((slab.tier, slab.slot // SPAN), []).append(slab)
        for (tier, span), group in groups.items():
            try:
                self._writer(tier, span).put(group, anew=anew)
            except DamagedError:
                self.mend(tier, span)
                self._writer(tier, span).put(group, anew=anew)

    def has(self, tier: Tier, target: Labels, slot: int) -> bool:
        """Whether rows of a target in a slot are kept for good."""
        volume = self._volumes[tier].get(slot // SPAN)
        return volume is not None and slot in volume.contents().slots.get(target, {})

    def times(self, tier: Tier, target: Labels, slot: int) -> list[int]:
        """Times of the rows of a target in a slot that are kept for good; none of what cannot be read."""
        volume = self._volumes[tier].get(slot // SPAN)
        contents = self._contents(volume) if volume else None
        found = contents.slots.get(target, {}).get(slot) if contents else None
        return found.times.tolist() if found else []

    def stored(self, tier: Tier, target: Labels, slot: int) -> Slab | None:
        """The rows of a target in a slot, for the writing thread."""
        volume = self._volumes[tier].get(slot // SPAN)
        contents = volume.contents() if volume else None
        known = contents.slots.get(target, {}).get(slot) if contents else None
        return volume.slab(contents, target, known, self.intern) if volume and contents and known else None

    def spans(self, tier: Tier) -> list[int]:
        """The numbers of the files, the oldest first."""
        with self._lock:
            return sorted(self._volumes[tier])

    def volumes(self, tier: Tier, start: int, end: int) -> list[Volume]:
        """Files that may hold rows with start <= time <= end, the oldest first."""
        first, last = tier.span_at(start), tier.span_at(end)
        with self._lock:
            return [volume for span, volume in sorted(self._volumes[tier].items()) if first <= span <= last]

    def span_of(self, volume: Volume) -> int:
        """The number of a file."""
        return int(volume.path.stem.removeprefix(f"{volume.tier.name}-"))

    def readable(self, tier: Tier, start: int = 0, end: int = FOREVER) -> Iterator[tuple[Volume, Contents]]:
        """Files that may hold rows with start <= time <= end, and what they hold; one that cannot be read at
        all is reported and left out."""
        for volume in self.volumes(tier, start, end):
            contents = self._contents(volume)
            if contents is not None:
                yield volume, contents

    def newest(self, tier: Tier) -> dict[Labels, int]:
        """Time of the newest row of each target in the newest file."""
        spans = self.spans(tier)
        if not spans:
            return {}
        contents = self._contents(self._volumes[tier][spans[-1]])
        slots = contents.slots if contents else {}
        return {target: int(known[max(known)].times[-1]) for target, known in slots.items()}

    def size(self) -> int:
        """Bytes of all files, those that were set aside included."""
        return sum(size_of(path) for path in self._files())

    def retain(self, keep: Mapping[Tier, int], most: int) -> list[Path]:
        """Unlink the oldest files: all but the `keep` newest of a resolution, and more of them (samples
        first, never the newest) while all files together have over `most` bytes.  Returns what was unlinked.
        """
        gone = [path for path in self._files() if path.suffix == ".damaged" and self.size() > most]
        for path in gone:
            path.unlink(missing_ok=True)
        for tier in TIERS:
            spans = self.spans(tier)
            extra = spans[: max(0, len(spans) - max(1, keep.get(tier, len(spans))))]
            gone += [self._unlink(tier, span) for span in extra]
        for tier in TIERS:
            for span in self.spans(tier)[:-1]:
                if self.size() > most:
                    gone.append(self._unlink(tier, span))
        return gone

    def mend(self, tier: Tier, span: int) -> None:
        """Set a damaged file aside, and put what can be read of it in its place; for the writing thread."""
        self._close_writer(tier, span)
        volume = self._volumes[tier][span]
        logger.error(
            "%s is damaged: it is set aside, and what can be read of it is written anew", volume.path
        )
        repair(volume, self.intern)
        self._connections.forget(volume.path)
        volume.changed()

    def close(self) -> None:
        """Close all files; what readers have borrowed they close themselves."""
        for _, writer in self._writers.values():
            writer.close()
        self._writers.clear()
        self._connections.close()

    def intern(self, labels: Labels) -> Labels:
        """The same object for the same labels: they stand in every file."""
        if len(self._labels) > REMEMBERED:
            self._labels = {}
        return self._labels.setdefault(labels, labels)

    def path(self, tier: Tier, span: int) -> Path:
        """Where the file of a span is."""
        return self.folder / f"{tier.name}-{span:08d}.db"

    def _contents(self, volume: Volume) -> Contents | None:
        """What a file holds; one that cannot be read at all is reported."""
        try:
            return volume.contents()
        except FileNotFoundError:
            return None
        except (OSError, NewerError) as error:
            self.tell(Damage(volume.path, f"cannot be read: {error}", None))
            return None

    def _files(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.suffix in (".db", ".damaged")]

    def _add(self, tier: Tier, span: int, path: Path) -> Volume:
        volume = Volume(path, tier, self._connections, self.tell)
        with self._lock:
            return self._volumes[tier].setdefault(span, volume)

    def tell(self, damage: Damage) -> None:
        """Report what is damaged, once."""
        with self._lock:
            if damage in self._told or len(self._told) >= TOLD:
                return
            self._told[damage] = None
        self._report(damage)

    def _writer(self, tier: Tier, span: int) -> Span:
        """The open file of a span; the one of its resolution that was written last stays open."""
        at, writer = self._writers.get(tier, (None, None))
        if writer is None or at != span:
            if writer is not None:
                del self._writers[tier]
                writer.close()
            volume = self._volumes[tier].get(span) or self._add(tier, span, self.path(tier, span))
            writer = Span(volume, self.intern)
            self._writers[tier] = span, writer
        return writer

    def _close_writer(self, tier: Tier, span: int) -> None:
        at, writer = self._writers.get(tier, (None, None))
        if writer is not None and at == span:
            del self._writers[tier]
            writer.close()

    def _unlink(self, tier: Tier, span: int) -> Path:
        self._close_writer(tier, span)
        with self._lock:
            volume = self._volumes[tier].pop(span)
        volume.path.unlink(missing_ok=True)
        journal_of(volume.path).unlink(missing_ok=True)
        self._connections.forget(volume.path)
        return volume.path


def journal_of(path: Path) -> Path:
    """What SQLite undoes an interrupted transaction by."""
    return path.with_name(path.name + "-journal")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where it is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
