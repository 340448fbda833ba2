"""The whole folder verified, every row of every file and log, and mended by dropping what is broken alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from monitor.storage.logged import Logged, logs
from monitor.storage.repair import check, take_back
from monitor.storage.schema import Damage, NewerError
from monitor.storage.shelf import FOREVER, Shelf, size_of
from monitor.storage.tier import TIERS, Tier
from monitor.storage.volume import ChangedError, Volume

TRIES = 20
"""Times that a file is begun anew because the service wrote to it meanwhile."""

Tell = Callable[[Damage], None]
Progress = Callable[[int, int], None]
"""Told what is done and what there is in all; bytes."""


def unheard(_: Damage) -> None:
    """For those who are told of damage by others."""


class Broken(NamedTuple):
    """What was found damaged, and can be mended."""

    files: list[tuple[Tier, int]]
    logs: list[Logged]


class Verified(NamedTuple):
    """What was looked at, and what of it is damaged."""

    files: int
    logs: int
    broken: Broken
    damages: int


def verify(folder: Path, tell: Tell, progress: Progress) -> Verified:
    """Read all that is kept and say what is damaged, each once; a service may run meanwhile.

    Raises OSError where the folder cannot be read.
    """
    told: list[Damage] = []

    def heard(damage: Damage) -> None:
        told.append(damage)
        tell(damage)

    take_back(folder)
    shelf = Shelf(folder, heard)
    # The logs first: what moves to a file meanwhile is met twice, never missed.
    written = logs(folder)
    broken_logs = [log for log in written if tell_damage(log, heard)]
    try:
        broken, count = verify_files(shelf, told, progress)
    finally:
        shelf.close()
    return Verified(count, len(written), Broken(broken, broken_logs), len(told))


def tell_damage(log: Logged, tell: Tell) -> bool:
    """Whether a log is damaged; one that is gone by now is not."""
    try:
        found = log.damage()
    except FileNotFoundError:
        return False
    for damage in found:
        tell(damage)
    return bool(found)


def verify_files(shelf: Shelf, told: list[Damage], progress: Progress) -> tuple[list[tuple[Tier, int]], int]:
    """The files that are damaged, by resolution and span, and how many there are."""
    volumes = [(tier, volume) for tier in TIERS for volume in shelf.volumes(tier, -FOREVER, FOREVER)]
    total, done = sum(size_of(volume.path) for _, volume in volumes), 0
    broken: list[tuple[Tier, int]] = []
    for tier, volume in volumes:
        size, before = size_of(volume.path), len(told)

        def part(slots: int, of: int, done: int = done, size: int = size) -> None:
            progress(done + size * slots // max(of, 1), total)

        if verify_file(shelf, volume, part) and len(told) > before:
            broken.append((tier, shelf.span_of(volume)))
        done += size
    progress(total, total)
    return broken, len(volumes)


def verify_file(shelf: Shelf, volume: Volume, progress: Progress) -> bool:
    """Whether the file is one that may be mended; that it cannot be read is told."""
    for _ in range(TRIES):
        try:
            for step in check(volume, shelf.intern):
                progress(*step)
        except ChangedError:
            continue
        except FileNotFoundError:
            return False
        except NewerError as error:
            volume.report(Damage(volume.path, str(error), None))
            return False
        return True
    raise OSError(f"{volume.path} was written {TRIES} times while it was read; run this again")


def mend(folder: Path, broken: Broken) -> None:
    """Drop what is broken, and nothing else; for who holds the folder.  Each file stays beside the new one,
    as `.damaged`.  Raises OSError and sqlite3.OperationalError (a full disk)."""
    shelf = Shelf(folder, unheard)
    try:
        for tier, span in broken.files:
            shelf.mend(tier, span)
    finally:
        shelf.close()
    for log in broken.logs:
        log.mend()
