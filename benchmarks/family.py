"""A process and all that come from it: what they take together."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Family:
    """By the pid of the first."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """Seconds of CPU of all that live, and of those that have ended and were waited for."""
        return sum(map(used, members(self.pid)))

    def memory(self) -> int:
        """Bytes of resident memory; the pages that they have in common with others count once."""
        found = [sizes(pid) for pid in members(self.pid)]
        return sum(private for private, _ in found) + max(shared for _, shared in found)


def members(pid: int) -> Iterator[int]:
    """The process, and those that it or they started."""
    yield pid
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from members(int(child))


def used(pid: int) -> float:
    """Seconds of CPU of a process and of its children that it has waited for; 0 where it has ended."""
    # The clock of another process, as clock_getcpuclockid(3) makes it: exact, with threads that have ended.
    clock = (~pid << 3) | 2
    try:
        own = time.clock_gettime(clock)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return own + (int(fields[13]) + int(fields[14])) / TICKS


def sizes(pid: int) -> tuple[int, int]:
    """Bytes of private and of shared pages (proc(5), smaps_rollup); none where it has ended."""
    try:
        lines = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]]
    except OSError:
        return 0, 0
    held = {line[0]: int(line[1]) << 10 for line in lines}
    private = held["Private_Clean:"] + held["Private_Dirty:"]
    return private, held["Rss:"] - private
