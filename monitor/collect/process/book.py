"""All groups of processes: a bounded number that have a name, and `other` for the rest."""

from __future__ import annotations

from collections.abc import Collection

from monitor.collect.process.group import Group
from monitor.collect.process.process import STATES, Process

KERNEL, OTHER = "kernel", "other"
EMPTY = 900.0
"""Seconds after which a group without members makes room for another."""

Counted = tuple[int, int, int, int, int | None, int | None, int, int]
NOTHING: Counted = 0, 0, 0, 0, 0, 0, 0, 0


def counted(process: Process) -> Counted:
    """The counters of a process as they stand."""
    return (
        process.user,
        process.system,
        process.minor,
        process.major,
        process.read,
        process.written,
        process.voluntary,
        process.involuntary,
    )


class Book:
    """Which process belongs to which group.  The threads of the kernel are one group."""

    def __init__(self, most: int) -> None:
        self.groups: dict[tuple[str, str], Group] = {}
        """By name and unit, `other` not among them."""
        self.other = Group(OTHER, "")
        self.full = False
        """Whether `other` ever had a member: from then on it is told of, as its counters are."""
        self._most = most

    def enter(self, process: Process) -> None:
        """A process that is new here: what it has used so far is its group's."""
        self.place(process)
        self.add(process, NOTHING)

    def place(self, process: Process) -> None:
        """What it uses from now on is that group's to which it belongs now."""
        key = (KERNEL, "") if process.kernel else (process.comm, process.unit)
        group = self.groups.get(key)
        if group is None:
            group = self.other
            if len(self.groups) < self._most and key != (OTHER, ""):
                group = self.groups[key] = Group(*key)
        self.full = self.full or group is self.other
        process.group = group

    def add(self, process: Process, before: Counted) -> None:
        """Add what a process used since."""
        group = process.group
        user, system, minor, major, read, written, voluntary, involuntary = before
        group.user += max(0, process.user - user)
        group.system += max(0, process.system - system)
        group.minor += max(0, process.minor - minor)
        group.major += max(0, process.major - major)
        if process.read is not None and process.written is not None:
            # What it had used before it could be asked is not known to have been used here.
            group.read = (group.read or 0) + max(0, process.read - (process.read if read is None else read))
            group.written = (group.written or 0) + max(
                0, process.written - (process.written if written is None else written)
            )
        if not process.kernel:
            group.voluntary = (group.voluntary or 0) + max(0, process.voluntary - voluntary)
            group.involuntary += max(0, process.involuntary - involuntary)

    def count(self, processes: Collection[Process], now: float) -> None:
        """Take the gauges of all groups anew; `now` in seconds of the scan's clock."""
        self._sum(processes)
        if self._forget(now):
            for process in processes:
                if process.group is self.other:
                    self.place(process)
            self._sum(processes)

    def _sum(self, processes: Collection[Process]) -> None:
        for group in (*self.groups.values(), self.other):
            group.clear()
        for process in processes:
            group = process.group
            group.number += 1
            group.threads += process.threads
            group.virtual += process.virtual
            group.resident += process.resident
            group.swapped += process.swapped
            state = STATES.get(process.state, "Other")
            group.states[state] = group.states.get(state, 0) + 1
            if process.fds is not None:
                group.fds = (group.fds or 0) + process.fds
            if not group.oldest or process.started < group.oldest:
                group.oldest = process.started

    def _forget(self, now: float) -> bool:
        """Drop groups that have been empty for long; whether there were any."""
        gone = []
        for key, group in self.groups.items():
            if group.number:
                group.empty_since = None
            elif group.empty_since is None:
                group.empty_since = now
            elif now - group.empty_since >= EMPTY:
                gone.append(key)
        for key in gone:
            del self.groups[key]
        return bool(gone)
