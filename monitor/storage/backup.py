"""Copies of the whole past, taken while it is written, and brought back.

The logs are copied before the files: rows that move from a log to a file meanwhile are then in both, and are
read once (`Keeper.replay`).  A copied file replaces an earlier copy whole or not at all, so a backup that was
cut off still holds what the one before held.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from monitor.storage.repair import sync, take_back
from monitor.storage.store import locked

MANIFEST = "backup.json"
PAGES = 256
"""Pages that are copied before the service may write again: 8 MiB."""
BREATH = 0.01
"""Seconds in which it may, between two such steps."""
BLOCK = 1 << 20
PATTERNS = ("*.log", "*.db", "events.jsonl")
"""What is copied, in this order."""

Progress = Callable[[int, int], None]


class BackupError(Exception):
    """Nothing was copied; the text says why and what to do."""


class Copied(NamedTuple):
    """What a backup has."""

    files: int
    changed: int
    """How many of them were copied this time."""
    size: int
    """Bytes of all."""


Stamp = list[int]
"""Size and time of the last change (ns) of a file when it was copied."""


def back_up(folder: Path, to: Path, progress: Progress) -> Copied:
    """Copy a folder of history into an empty folder, or bring an earlier backup up to date.

    Raises BackupError and OSError.
    """
    if not folder.is_dir():
        raise BackupError(f"there is no history in {folder}; say with --state or --config where it is")
    if (
        to.resolve() in (folder.resolve(), *folder.resolve().parents)
        or folder.resolve() in to.resolve().parents
    ):
        raise BackupError(f"{to} is part of what is to be copied; name a folder elsewhere")
    known = begin(to)
    take_back(folder)
    stamps: dict[str, Stamp] = {}
    total, done, changed = sum(size for _, size in found(folder)), 0, 0
    # Files are listed once the logs are copied: rows may be in one by then that was not there before.
    for path, size in found(folder):
        with suppress(FileNotFoundError):  # Its time is over, or its rows are in a file by now.
            stamp = stamp_of(path)
            if known.get(path.name) != stamp or size_in(to, path.name) != stamp[0]:
                copy(path, to / path.name, lambda part, at=done: progress(min(at + part, total), total))  # type: ignore[misc]
                changed += 1
            stamps[path.name] = stamp
        done += size
        progress(min(done, total), total)
    finish(to, stamps)
    return Copied(len(stamps), changed, sum(size_in(to, name) for name in stamps))


def begin(to: Path) -> dict[str, Stamp]:
    """Make the folder, or take up an earlier backup: what it has copied of which file."""
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = read_manifest(to)
    if held is None:
        if any(to.iterdir()):
            raise BackupError(f"{to} has files that are no backup; name an empty folder, or a new one")
        held = {"format": 1, "finished": None, "files": {}}
        write_manifest(to, held)
    return dict(held["files"])


def finish(to: Path, stamps: dict[str, Stamp]) -> None:
    """Say that the backup is whole, and let go of what is not in it any more."""
    sync(to)
    write_manifest(to, {"format": 1, "finished": round(time.time()), "files": stamps})
    for pattern in PATTERNS:
        for path in to.glob(pattern):
            if path.name not in stamps:
                path.unlink()


def found(folder: Path) -> Iterator[tuple[Path, int]]:
    """What there is to copy, and how large it is."""
    for pattern in PATTERNS:
        for path in sorted(folder.glob(pattern)):
            with suppress(FileNotFoundError):
                yield path, path.stat().st_size


def copy(source: Path, target: Path, progress: Callable[[int], None]) -> None:
    """A file as it is at one moment.  Raises OSError."""
    part = target.with_name(target.name + ".part")
    try:
        if source.suffix == ".db":
            copy_database(source, part, progress)
        else:
            copy_bytes(source, part, progress)
        part.chmod(0o600)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def copy_database(source: Path, part: Path, progress: Callable[[int], None]) -> None:
    """By SQLite, which begins anew where the file is written meanwhile; a damaged file as it is."""
    part.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as old,
            closing(sqlite3.connect(part)) as new,
        ):
            [page] = old.execute("PRAGMA page_size").fetchone()
            new.execute("PRAGMA synchronous=OFF")
            old.backup(
                new,
                pages=PAGES,
                progress=lambda _, left, total: progress((total - left) * page),
                sleep=BREATH,
            )
        durable(part)
    except sqlite3.DatabaseError as error:
        source.stat()  # Raises FileNotFoundError where it is gone.
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY):
            raise OSError(f"{source} cannot be copied: {error}") from error
        part.unlink(missing_ok=True)
        copy_bytes(source, part, progress)


def copy_bytes(source: Path, part: Path, progress: Callable[[int], None]) -> None:
    """As many bytes as there are; who writes only adds, or begins what is then in a file."""
    done = 0
    with source.open("rb") as old, part.open("wb") as new:
        while block := old.read(BLOCK):
            new.write(block)
            done += len(block)
            progress(done)
        new.flush()
        os.fsync(new.fileno())


def durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stamp_of(path: Path) -> Stamp:
    seen = path.stat()
    return [seen.st_size, seen.st_mtime_ns]


def size_in(folder: Path, name: str) -> int:
    """Bytes of a file; -1 where there is none."""
    try:
        return (folder / name).stat().st_size
    except FileNotFoundError:
        return -1


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What a backup says of itself; None where there is none.  Raises BackupError."""
    path = folder / MANIFEST
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        sound = isinstance(held, dict) and isinstance(held.get("files"), dict)
    except FileNotFoundError:
        return None
    except ValueError:
        sound = False
    if not sound:
        raise BackupError(f"{path} is no list of a backup; name another folder")
    if held.get("format") != 1:
        raise BackupError(f"{path} is of a later version of monitor; use that version")
    return dict(held)


def write_manifest(folder: Path, held: dict[str, Any]) -> None:
    new = folder / f"{MANIFEST}.part"
    with new.open("w", encoding="utf-8") as file:
        json.dump(held, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / MANIFEST)
    sync(folder)


def restore(backup: Path, folder: Path, progress: Progress) -> Path | None:
    """Put a backup in the place of a folder of history; returns where what was there is now, if anything.

    Raises BackupError, OSError, and StoreError where a service has the folder.
    """
    held = read_manifest(backup)
    if held is None:
        raise BackupError(f"{backup} has no {MANIFEST}; expected a folder that `monitor backup` made")
    if held["finished"] is None:
        raise BackupError(f"{backup} was cut off before it was whole; run `monitor backup` again")
    lock = locked(folder)
    try:
        fresh = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        bring(backup, fresh, progress)
        belong(fresh, folder.parent)
        return swap(fresh, folder)
    finally:
        os.close(lock)


def bring(backup: Path, fresh: Path, progress: Progress) -> None:
    """Copy what a backup has into a new folder."""
    fresh.mkdir(mode=0o700)
    sources = list(found(backup))
    total, done = sum(size for _, size in sources), 0
    for path, size in sources:
        copy_bytes(path, fresh / path.name, lambda part, at=done: progress(at + part, total))  # type: ignore[misc]
        (fresh / path.name).chmod(0o600)
        done += size
    sync(fresh)


def swap(fresh: Path, folder: Path) -> Path | None:
    """Move one folder to the place of the other, which is kept where it holds anything."""
    aside = None
    if any(path.name != "lock" for path in folder.iterdir()):
        aside = free(folder.with_name(f"{folder.name}.before-{time.strftime('%Y%m%dT%H%M%S')}"))
        folder.rename(aside)
    else:
        (folder / "lock").unlink()
        folder.rmdir()
    fresh.rename(folder)
    sync(folder.parent)
    return aside


def free(path: Path) -> Path:
    """This path, or one like it, where nothing is yet."""
    number, tried = 1, path
    while tried.exists():
        number += 1
        tried = path.with_name(f"{path.name}-{number}")
    return tried


def belong(folder: Path, like: Path) -> None:
    """What root made is the service's own: it belongs to whom `like` belongs to.

    Never what a link leads to, which who owns the folder may have put there.
    """
    if os.geteuid() == 0:
        owner = like.stat()
        for path in (*folder.iterdir(), folder):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
