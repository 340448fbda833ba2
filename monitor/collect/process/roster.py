"""Processes as rows, each with what it did since the look before: the live table `processes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest, nsmallest
from typing import NamedTuple

from monitor.collect.process.process import TICKS, Process
from monitor.collect.process.scan import Scan
from monitor.collect.process.users import Users

COLUMNS = (
    *("pid", "start", "command", "arguments", "user", "unit", "state"),
    *("cpu", "memory", "read", "write", "threads"),
)
"""`start` is Unix time in ms, `cpu` in cores, `memory` the resident set in bytes, `read` and `write` in bytes
a second from and to storage; None where it is not known."""

Row = tuple[int | float | str | None, ...]


class Wanted(NamedTuple):
    """Which rows, and in which order."""

    sort: str
    descending: bool
    filter: str
    limit: int


class Roster:
    """Makes the rows of what a scan found."""

    def __init__(self, scan: Scan, users: Users) -> None:
        self._scan = scan
        self._users = users
        self._keys: dict[str, Callable[[Process], float | str]] = {
            "pid": lambda each: each.pid,
            "start": lambda each: each.started,
            "command": lambda each: each.comm.casefold(),
            "user": self.user,
            "unit": lambda each: each.unit,
            "state": lambda each: each.state,
            "cpu": self._cpu,
            "memory": lambda each: each.resident,
            "read": lambda each: -1.0 if each.read_rate is None else each.read_rate,
            "write": lambda each: -1.0 if each.write_rate is None else each.write_rate,
            "threads": lambda each: each.threads,
        }

    def found(self, wanted: Wanted) -> tuple[list[Process], int]:
        """Those that are wanted, in their order, and how many there are in all that have the text."""
        self._users.refresh(self._scan.at)
        living: Iterable[Process] = self._scan.living.values()
        if wanted.filter:
            living = [each for each in living if self._has(each, wanted.filter.casefold())]
        every = list(living)
        chosen = nlargest if wanted.descending else nsmallest
        key = self._keys[wanted.sort or "cpu"]

        def order(process: Process) -> tuple[float | str, int, int]:
            # What is alike is told apart by its size, and then by its pid, so that rows stay where they are.
            return key(process), process.resident, process.pid

        return chosen(wanted.limit, every, key=order), len(every)

    def rows(self, processes: Sequence[Process], arguments: Callable[[Process], str | None]) -> list[Row]:
        return [self._row(each, arguments(each)) for each in processes]

    def start(self, process: Process) -> int:
        """When it began, Unix time in ms."""
        return self._scan.booted * 1000 + process.started * 1000 // TICKS

    def user(self, process: Process) -> str:
        return "root" if process.kernel else self._users.name(process.uid)

    def _row(self, process: Process, arguments: str | None) -> Row:
        return (
            process.pid,
            self.start(process),
            process.comm,
            arguments,
            self.user(process),
            process.unit,
            process.state,
            round(self._cpu(process), 4),
            process.resident,
            None if process.read_rate is None else round(process.read_rate),
            None if process.write_rate is None else round(process.write_rate),
            process.threads,
        )

    def _cpu(self, process: Process) -> float:
        """Cores that it kept busy between the two newest looks."""
        return process.cpu if process.moved == self._scan.number else 0.0

    def _has(self, process: Process, text: str) -> bool:
        return (
            text in process.comm.casefold()
            or text in process.unit.casefold()
            or text in self.user(process).casefold()
            or text == str(process.pid)
        )
