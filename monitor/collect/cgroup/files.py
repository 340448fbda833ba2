"""Files of control groups, opened for each read: what comes and goes at any time is not kept open."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from monitor.collect.cgroup.metrics import READ, READS, WRITES, WRITTEN, Key

FLAGS = os.O_RDONLY | os.O_CLOEXEC
SIZE = 1 << 16
SURE = 2048
"""The kernel gives a list in pieces of a page, each of whole lines: a piece shorter than this is the last."""
ALONE = 2
"""Links of a folder without others in it: that from above, and its own."""
DEVICES = 32
"""Devices of one group that are told."""
NAME = re.compile(r"^DEVNAME=(.+)$", re.MULTILINE)
Counts = dict[Key, float]


def text(path: str) -> str:
    """What a file holds; empty where the group is gone, or has no such controller."""
    try:
        descriptor = os.open(path, FLAGS)
    except OSError:
        return ""
    try:
        return content(descriptor)
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def content(descriptor: int) -> str:
    """All that an open file holds."""
    data = piece = os.pread(descriptor, SIZE, 0)
    while len(piece) >= SURE:
        piece = os.pread(descriptor, SIZE, len(data))
        data += piece
    return data.decode(errors="replace")


def processes(folder: str, deep: int = 4) -> int:
    """How many processes are in a group and in those below it."""
    found = text(f"{folder}/cgroup.procs").count("\n")
    return found + sum(processes(below, deep - 1) for below in (inner(folder) if deep else ()))


def members(folder: str, deep: int = 4) -> list[str]:
    """Processes of a group; where it has none itself, those of the first below it that has some."""
    found = text(f"{folder}/cgroup.procs").split()
    if found or not deep:
        return found
    return next(filter(None, (members(below, deep - 1) for below in inner(folder))), [])


def inner(folder: str) -> Iterator[str]:
    """The groups right below one.  The kernel counts them as links of the folder, which spares listing it."""
    try:
        if os.stat(folder).st_nlink == ALONE:  # noqa: PTH116
            return
        with os.scandir(folder) as entries:
            yield from (entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return


class Devices:
    """The names of block devices by their numbers, `8:0`."""

    def __init__(self, sysfs: str) -> None:
        self._sysfs = sysfs
        self._names: dict[str, str] = {}

    def name(self, number: str) -> str:
        """`/dev/sda`, as cAdvisor has it; the number where it is not known."""
        if number not in self._names:
            if len(self._names) > 1024:
                self._names.clear()
            found = NAME.search(text(f"{self._sysfs}/dev/block/{number}/uevent"))
            self._names[number] = f"/dev/{found[1]}" if found else number
        return self._names[number]

    def counted(self, lines: Iterable[tuple[str, dict[str, float]]]) -> Counts:
        """The four counters of each device out of its number and fields, which are named as in version 2."""
        metrics = {"rbytes": READ, "wbytes": WRITTEN, "rios": READS, "wios": WRITES}
        found: Counts = {}
        for number, values in list(lines)[:DEVICES]:
            name = self.name(number)
            found |= {(metric, name): values[key] for key, metric in metrics.items() if key in values}
        return found
