"""One process as the kernel's files tell of it: /proc/<pid>/stat, status and io (proc(5)).

Sizes of memory are in bytes, times in clock ticks, of which a second has TICKS.
"""

from __future__ import annotations

import os
from functools import lru_cache

from monitor.collect.process.group import Group

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
KERNEL = 0x0020_0000
"""PF_KTHREAD of the flags (linux/sched.h): a thread of the kernel's own."""
FIELDS = 22
"""Fields of stat after the name up to the resident set."""
STATES = {"R": "Running", "S": "Sleeping", "I": "Sleeping", "D": "Waiting", "Z": "Zombie"}
"""process-exporter's words for the kernel's letters; what is not here is `Other`."""


class Process:
    """What was read last, and what the newest scan found to have changed."""

    __slots__ = (
        "changed",
        "comm",
        "cpu",
        "descriptor",
        "due",
        "fds",
        "glanced",
        "group",
        "involuntary",
        "io_at",
        "kept_read",
        "kept_ticks",
        "kept_written",
        "kernel",
        "major",
        "minor",
        "moved",
        "pid",
        "read",
        "read_rate",
        "resident",
        "seen",
        "started",
        "state",
        "swapped",
        "system",
        "text",
        "threads",
        "uid",
        "unit",
        "user",
        "virtual",
        "voluntary",
        "write_rate",
        "written",
    )

    def __init__(self, pid: int, descriptor: int | None) -> None:
        self.pid = pid
        self.descriptor = descriptor
        """Of its stat, kept open where there is room: it never tells of another process of the same pid."""
        self.text = b""
        """Its stat as it was read last."""
        self.group: Group
        self.comm, self.unit, self.state = "", "", "?"
        self.kernel = False
        self.uid: int | None = None
        self.started = self.threads = self.virtual = self.resident = self.swapped = 0
        self.user = self.system = self.minor = self.major = 0
        self.read: int | None = None
        """Bytes that it has had read from storage; None where that is not for us to know."""
        self.written: int | None = None
        self.voluntary = self.involuntary = 0
        self.fds: int | None = None
        self.due = 0.0
        """When the files that say little are read again, in seconds of the scan's clock."""
        self.moved = 0
        """Number of the last scan in which it had used CPU time."""
        self.cpu = 0.0
        """Cores that it had kept busy until that one, since it was looked at before."""
        self.seen = 0.0
        """When it was looked at last, in seconds of the scan's clock."""
        self.changed = self.glanced = 0
        """Number of the last scan in which it was not as before; and of that in which the files that say
        little were read."""
        self.io_at: float | None = None
        self.read_rate: float | None = None
        """Bytes a second between the two last looks."""
        self.write_rate: float | None = None
        self.kept_ticks: int | None = None
        """What it had used when those at the top were last kept; None where it was new since."""
        self.kept_read: int | None = None
        self.kept_written: int | None = None

    @property
    def ticks(self) -> int:
        """CPU time in all."""
        return self.user + self.system


def parted(text: bytes) -> tuple[bytes, list[bytes]]:
    """Name and further fields of a stat: the name may hold anything, brackets and line ends among it.

    Raises ValueError for what is no stat.
    """
    head, bracket, rest = text.rpartition(b") ")
    fields = rest.split(None, FIELDS)
    if not bracket or len(fields) < FIELDS:
        raise ValueError(f"the stat of a process expected, found {text[:60]!r}")
    return head[head.index(b"(") + 1 :], fields


@lru_cache(4096)
def shown(name: bytes) -> str:
    """A name as text in which control characters and those that turn text are escaped."""
    text = name.decode(errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
