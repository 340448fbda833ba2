"""The files that journald writes to, followed from now on, through rotation and flushing.

journald has one for the system and one for each user, below /var where it may keep them and below /run else,
in folders named by the machine.  One that is full is renamed, and another takes its name.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import NamedTuple

from monitor.collect.host import Host
from monitor.collect.journald.file import Entry, File

FOLDERS = ("/var/log/journal", "/run/log/journal")
MACHINE = "/etc/machine-id"
WRITTEN = re.compile(r"system\.journal|user-\d+\.journal")
FILES = 64
LISTED = 10.0
"""Seconds after which folders are listed again, and a file that failed is opened again."""
BEHIND = 20_000
"""Messages of one file that are waited for; where there are more, all are passed over and counted."""


class Fault(NamedTuple):
    """Why a file is left out, and since when (Unix seconds)."""

    error: OSError | ValueError
    since: float


class Follower:
    """All that is written from when it first looks, or with `past` all that there is."""

    def __init__(self, *, past: bool = False) -> None:
        self.lost = 0
        """Messages that were passed over."""
        self.faults: dict[str, Fault] = {}
        """By path."""
        self._past = past
        self._machine = ""
        self._files: dict[str, File] = {}
        self._rotated: list[File] = []
        """Those that have lost their names, and are read to their ends."""
        self._archived: dict[str, set[str]] = {}
        """Those that had a name before, by it, as of when the file was opened."""
        self._first = 0
        """The file that is read first, another one in each pass."""
        self._listed = -inf
        self._now = 0.0

    @property
    def files(self) -> list[File]:
        """All that are read."""
        return [*self._rotated, *self._files.values()]

    def entries(self, host: Host, most: int) -> Iterator[list[Entry]]:
        """What came since, about so many.  Raises FileNotFoundError where the host has no journal."""
        self._now = host.now
        self._rename()
        if not 0 <= host.now - self._listed < LISTED:
            self._list(host)
            self._listed = host.now
        files = self.files
        self._first = (self._first + 1) % max(len(files), 1)
        for file in files[self._first :] + files[: self._first]:
            if most > 0:
                entries = self._read(file, most)
                most -= len(entries)
                yield entries

    def close(self) -> None:
        """Let go of all files."""
        for file in self.files:
            file.close()
        self._files, self._rotated, self._listed = {}, [], -inf

    def _read(self, file: File, most: int) -> list[Entry]:
        try:
            entries = file.read(most)
            if file.waiting > BEHIND:
                self.lost += file.skip()
        except (OSError, ValueError) as error:
            if file in self._rotated:
                self.lost += file.waiting  # journald empties what it removes.
            else:
                self.faults[file.path] = Fault(error, self._now)
            self._drop(file)
            return []
        if file in self._rotated and not file.waiting:
            self._drop(file)
        return entries

    def _drop(self, file: File) -> None:
        if file in self._rotated:
            self._rotated.remove(file)
        else:
            del self._files[file.path]
        file.close()

    def _rename(self) -> None:
        """Go on with the files that took the names of others; one whose name is gone is still written to."""
        for path, file in list(self._files.items()):
            try:
                renamed = os.stat(path).st_ino != file.inode  # noqa: PTH116  (a Path costs as much again)
            except OSError:
                continue
            if renamed:
                self._rotated.append(self._files.pop(path))
                self._between(path, file.inode)
                self._open(path, past=True)

    def _between(self, path: str, before: int) -> None:
        """Go on with files that had the name for less than a pass, after the one with an inode `before`."""
        known, self._archived[path] = self._archived.get(path, set()), archived(path)
        for other in sorted(self._archived[path] - known)[:FILES]:
            try:
                file = File(other, past=True)
            except OSError:
                continue  # It was removed.
            if file.inode == before:
                file.close()
            else:
                self._rotated.append(file)

    def _list(self, host: Host) -> None:
        """Open what is new, and again what failed a while ago."""
        self._machine = self._machine or Path(host.root(MACHINE)).read_text(encoding="utf-8").strip()
        denied: dict[str, Fault] = {}
        paths = sorted(self._written(host, denied), key=lambda path: ("/user-" in path, path))
        if not (paths or denied or self._files):
            raise FileNotFoundError(errno.ENOENT, "no journal of systemd's", host.root(FOLDERS[0]))
        kept = {path: fault for path, fault in self.faults.items() if path in paths}
        self.faults = kept | denied
        for path in paths:
            failed = self.faults.get(path)
            if path in self._files or (failed and self._now - failed.since < LISTED):
                continue
            if len(self._files) >= FILES:
                text = f"no more than {FILES} files of a journal are read"
                self.faults[path] = Fault(OSError(errno.EMFILE, text, path), self._now)
            else:
                self._open(path, past=self._past or (not failed and self._listed > -inf))

    def _written(self, host: Host, denied: dict[str, Fault]) -> Iterator[str]:
        """The files of this machine that are written to, those of journald's name spaces among them; and the
        folders that cannot be listed."""
        for folder in map(host.root, FOLDERS):
            for name in listed(folder):
                if name == self._machine or name.startswith(f"{self._machine}."):
                    inner = f"{folder}/{name}"
                    try:
                        yield from (f"{inner}/{file}" for file in listed(inner) if WRITTEN.fullmatch(file))
                    except OSError as error:
                        denied[inner] = Fault(error, self._now)

    def _open(self, path: str, past: bool) -> None:
        if path not in self._archived:
            self._archived[path] = archived(path)
        place = Path(path).parts[-2:]
        # What was kept below /run goes into a file below /var, once there is one (journalctl --flush).
        known = [file.newest for file in self._files.values() if Path(file.path).parts[-2:] == place]
        try:
            self._files[path] = File(path, past=past, after=max(known, default=0))
        except OSError as error:
            self.faults[path] = Fault(error, self._now)
        else:
            self.faults.pop(path, None)


def readable(host: Host) -> bool:
    """Whether the journal of the system may be read here."""
    try:
        machine = Path(host.root(MACHINE)).read_text(encoding="utf-8").strip()
    except OSError:
        return False
    paths = (f"{host.root(folder)}/{machine}/system.journal" for folder in FOLDERS)
    return any(os.access(path, os.R_OK, effective_ids=True) for path in paths)


def archived(path: str) -> set[str]:
    """The files that had a name before: `system@...` of system.journal."""
    folder, _, name = path.rpartition("/")
    before = name.replace(".journal", "@")
    return {f"{folder}/{each}" for each in listed(folder) if each.startswith(before)}


def listed(folder: str) -> list[str]:
    """What a folder holds; nothing where there is none."""
    try:
        return os.listdir(folder)  # noqa: PTH208  (a Path for each costs ten times that)
    except FileNotFoundError:
        return []
