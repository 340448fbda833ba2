"""Collectors of devices: a few small files of each, read every few seconds by a process of its own.

A driver may ask its hardware before it answers, over a bus that takes milliseconds or is stuck, so none of
these files is read within a pass.  What one device cannot tell leaves out that one value and is counted.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from monitor.collect.host import Host
from monitor.collect.table import Entry, layout
from monitor.model import Block, Kind, Metric

log = logging.getLogger(__name__)

EVERY = 5.0
TIMEOUT = 5.0
ABSENT = 60.0
"""Seconds after which what was not on this host is looked for again."""
Wanted = tuple[tuple[str, tuple[str, ...]], ...]
"""Pairs of a folder below `proc`, `sys` or `root` and files in it, with wildcards (monitor.collect.files)."""
Samples = Iterable[tuple[Entry, float]]

UNREADABLE = Metric(
    "monitor_collector_unreadable_files",
    Kind.GAUGE,
    "Files that a collector could not read or make out, whose values are left out.",
)
SILENT = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENODEV,
    errno.ENXIO,
    errno.ENODATA,
    errno.EOPNOTSUPP,
    errno.EINVAL,
    errno.EAGAIN,
}
"""What drivers answer for "I have no such value", or "not now": a link that is down has no speed (EINVAL)."""
DENIED = {errno.EACCES, errno.EPERM}


@dataclass
class Tree:
    """What was read."""

    folders: Mapping[str, tuple[str, ...]]
    """The folders that each wanted one stands for, by it."""
    texts: Mapping[str, str]
    """By path below `proc`, `sys` or `root`."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """Numbers of errors by path."""
    faults: dict[str, str] = field(default_factory=dict)
    """Why a file is left out, by path: those that somebody should look at."""

    def __post_init__(self) -> None:
        for path, number in self.errors.items():
            if number not in SILENT:
                self.faults[path] = os.strerror(number)

    def text(self, path: str) -> str:
        """A file's text without blanks around it; empty where it is left out."""
        return self.texts.get(path, "").strip()

    def number(self, path: str, base: int = 10) -> float | None:
        """A file's whole number; None where it is left out.  Base 0 reads `0x1f` as well."""
        text = self.text(path)
        try:
            return float(int(text, base)) if text else None
        except ValueError:
            self.faults[path] = f"a number expected, found {text[:40]!r}"
            return None

    def each(self, folder: str) -> Iterator[tuple[str, str]]:
        """Name and path of each folder that a wanted one stands for."""
        for path in self.folders.get(folder, ()):
            yield path.rpartition("/")[2], path


class Devices(ABC):
    """A collector that says which files it wants and what they mean."""

    wanted: Wanted

    def __init__(self, every: float = EVERY, timeout: float = TIMEOUT) -> None:
        self.every = every
        self.limit = timeout
        self._every = every
        self._seen: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The collector's name in the list."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def samples(self, tree: Tree) -> Samples:
        """What the files say.  Raises ValueError for a text that it cannot make out."""

    async def refresh(self, host: Host) -> list[Block]:
        """Read and make out; at most `limit` seconds."""
        return self.blocks(planted(await host.reader.ask(self.question(host)), self.wanted))

    def question(self, host: Host) -> bytes:
        """The line that asks for the wanted files."""
        roots = {"proc": host.procfs, "sys": host.sysfs, "root": host.rootfs}
        return json.dumps({"roots": roots, "wanted": self.wanted}).encode()

    def blocks(self, tree: Tree) -> list[Block]:
        """The samples of a tree.  Raises FileNotFoundError where there is nothing of the kind, and OSError
        where all that there is cannot be read."""
        found = dict(self.samples(tree))  # Two devices may bear one name, and a series is one.
        self.note(tree.faults)
        self.every = self._every if found else max(self._every, ABSENT)
        if not found:
            raise nothing(self.name, self.wanted, tree)
        entries = (*found, UNREADABLE.at(collector=self.name))
        return [Block(layout(entries), [*found.values(), float(len(tree.faults))])]

    def note(self, faults: Mapping[str, str]) -> None:
        """Log what cannot be read, once for each change; what may not be read is no fault of the hardware."""
        new = {path: why for path, why in faults.items() if self._seen.get(path) != why}
        denied = {os.strerror(number) for number in DENIED}
        for path, why in list(new.items())[:1]:
            level = logging.INFO if denied.issuperset(new.values()) else logging.WARNING
            others = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
            log.log(level, "collector %s: left out: %s: %s%s", self.name, path, why, others)
        self._seen = dict(faults)

    async def close(self) -> None:  # noqa: B027  (what a Background needs; the process that reads is the host's)
        """Nothing is held."""


def planted(answer: bytes, wanted: Wanted) -> Tree:
    """The tree of an answer."""
    found = json.loads(answer)
    folders = {folder: tuple(paths) for (folder, _), paths in zip(wanted, found["folders"], strict=False)}
    return Tree(folders, found["texts"], found["errors"])


def nothing(name: str, wanted: Wanted, tree: Tree) -> OSError:
    """Why there is not a single value."""
    for path, number in tree.errors.items():
        if number not in SILENT:
            return OSError(number, os.strerror(number), path)
    return FileNotFoundError(errno.ENOENT, f"no {name} on this host", wanted[0][0])
