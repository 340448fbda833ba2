"""All processes, looked at again and again: /proc/<pid>/stat each time, other files when they are due.

What has not changed costs one read of a file that is kept open and one comparison.  The folder is listed
only when the kernel has made a process since (`processes` of /proc/stat), or a minute has gone by.  A
process is its pid and its start: a new one of an old pid is another.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf

from monitor.collect.host import Host
from monitor.collect.process.book import Book, counted
from monitor.collect.process.files import GONE, Files
from monitor.collect.process.place import unit_of
from monitor.collect.process.process import KERNEL, PAGE, TICKS, Process, parted, shown

KEPT = 4096
"""Files that may stay open."""
LISTED = 60.0
"""Seconds after which the folder is listed even if nothing was made."""
LEAST = 16
"""Processes that one look meets in any case."""
DUE, CALM = 15.0, 60.0
"""Seconds between two looks at what says little: switches, swap, open files, unit; and of one that did
nothing since."""
GLANCES = 0.02
"""Seconds of CPU time that those may take of one look; what is left over comes first the next time."""
STAT = 1024
"""Bytes of a stat at most."""
MADE = re.compile(r"^processes (\d+)$", re.MULTILINE)
"""Processes and threads made since boot."""
BOOTED = re.compile(r"^btime (\d+)$", re.MULTILINE)
ZOMBIE = "Z"
"""State of a process that has ended, and whose parent does not know it yet."""
UID = re.compile(rb"\nUid:\t\d+\t(\d+)")
"""The effective one."""
SWAPPED = re.compile(rb"\nVmSwap:\s+(\d+) kB")
VOLUNTARY = re.compile(rb"\nvoluntary_ctxt_switches:\s+(\d+)")
INVOLUNTARY = re.compile(rb"\nnonvoluntary_ctxt_switches:\s+(\d+)")
SILENT = (*GONE, PermissionError)
"""What the kernel says instead of an answer."""
IO = re.compile(rb"\nread_bytes: (\d+)\nwrite_bytes: (\d+)")


class Scan:
    """What runs, by pid.  `kept` bounds the files that stay open, `groups` the groups that have a name."""

    def __init__(
        self,
        groups: int,
        kept: int = KEPT,
        clock: Callable[[], float] = time.monotonic,
        at_once: float = inf,
        spent: Callable[[], float] = time.thread_time,
    ) -> None:
        """`at_once` is how many seconds of CPU time (`spent`) meeting new processes may take at a time: at
        first all are new."""
        self.book = Book(groups)
        self.living: dict[int, Process] = {}
        self.number = 0
        """Of scans so far."""
        self.elapsed = 0.0
        """Seconds between the two newest."""
        self.at = 0.0
        """When the newest began, in seconds of the clock."""
        self.thorough = False
        """Whether the newest was at every process."""
        self.booted = 0
        """Unix time at which the host was booted, in seconds: it moves when the clock is set."""
        self.hidden: set[str] = set()
        """Pids that are listed and may not be read."""
        self._groups, self._kept, self._at_once = groups, kept, at_once
        self._names: set[str] = set()
        """Of the folders of the living."""
        self._unmet: set[str] = set()
        """Of those that were listed and are still to be met."""
        self._clock, self._spent = clock, spent
        self._files: Files | None = None
        self._made = ""
        self._listed_at: float | None = None

    @property
    def finished(self) -> bool:
        """Whether every process that was listed has been met."""
        return self._listed_at is not None and not self._unmet

    @property
    def whole(self) -> bool:
        """Whether it sees other users' processes: not where proc is mounted with hidepid (proc(5))."""
        return not self.hidden and 1 in self.living

    def meet(self, host: Host) -> None:
        """Take up some more of those that are not known yet.  Raises FileNotFoundError where the host has no
        procfs."""
        files = self._open(host)
        now = self._clock()
        if self._listed_at is None:
            self._list(files, now)
        self._take_up(files, now)

    def look(self, host: Host, thorough: bool = True) -> None:
        """Look at every process, or at all but those threads of the kernel's that did nothing until the look
        before, which was thorough.  Raises FileNotFoundError where the host has no procfs."""
        stat = host.proc("stat")
        made, booted = MADE.search(stat), BOOTED.search(stat)
        if made is None or booted is None:
            raise ValueError(
                f"{host.procfs}/stat: the lines btime and processes expected, with a number each"
            )
        now = self._clock()
        self.elapsed, self.at = (now - self.at if self.number else 0.0), now
        self.number += 1
        self.thorough = thorough
        self.booted = int(booted[1])
        files = self._open(host)
        self._read_all(files)
        if self._listed_at is None or made[1] != self._made or now - self._listed_at >= LISTED:
            self._list(files, now)
            self._made = made[1]
        self._take_up(files, now)
        self.book.count(self.living.values(), now)

    def close(self) -> None:
        """Let go of every file; a later look opens anew."""
        if self._files:
            for process in self.living.values():
                self._files.release(process.descriptor)
            self._files.close()
        self.living.clear()
        self._names.clear()
        self._unmet.clear()
        self.book = Book(self._groups)
        self._files, self._made, self._listed_at = None, "", None
        self.thorough = False

    def _open(self, host: Host) -> Files:
        self._files = self._files or Files(host.procfs, self._kept)
        return self._files

    def _read_all(self, files: Files) -> None:
        gone: list[Process] = []
        due: list[Process] = []
        now, pread = self.at, os.pread
        stirred = 0 if self.thorough else self.number - 1
        for process in self.living.values():
            if process.kernel and process.changed < stirred:
                continue
            descriptor = process.descriptor
            try:
                text = files.read(process.pid, "stat") if descriptor is None else pread(descriptor, STAT, 0)
                if text != process.text:
                    self._changed(files, process, text)
                process.seen = now
                if now >= process.due:
                    due.append(process)
            except SILENT:
                gone.append(process)
        gone += self._glance_at(files, due)
        for process in gone:
            files.release(process.descriptor)
            del self.living[process.pid]
            self._names.discard(str(process.pid))

    def _glance_at(self, files: Files, due: list[Process]) -> list[Process]:
        """Read what says little of those that are due, as many as there is time for; those that are gone."""
        gone: list[Process] = []
        until = self._spent() + GLANCES if due else 0.0
        for process in sorted(due, key=lambda each: each.due):
            try:
                self._glance(files, process)
            except SILENT:
                gone.append(process)
            if self._spent() > until:
                break
        return gone

    def _list(self, files: Files, now: float) -> None:
        """Note those that are not known."""
        pids = files.pids()
        self.hidden &= pids
        self._unmet = pids - self._names - self.hidden
        self._listed_at = now

    def _take_up(self, files: Files, now: float) -> None:
        """Meet those who were noted, as many as there is time for."""
        if not self._unmet:
            return
        new: list[Process] = []
        until, tried = self._spent() + self._at_once, 0
        try:
            while self._unmet and (tried < LEAST or self._spent() < until):
                self._meet(files, self._unmet.pop(), now, new)
                tried += 1
        finally:
            # Those with the most memory come first to the groups that have a name.
            for process in sorted(new, key=lambda each: (-each.resident, each.pid)):
                self.living[process.pid] = process
                self._names.add(str(process.pid))
                self.book.enter(process)

    def _meet(self, files: Files, name: str, now: float, new: list[Process]) -> None:
        try:
            new.append(self._met(files, int(name), now))
        except PermissionError:
            self.hidden.add(name)
        except GONE:
            return  # It ended between the list and the look.

    def _met(self, files: Files, pid: int, now: float) -> Process:
        descriptor = files.keep(pid)
        try:
            process = Process(pid, descriptor)
            text = files.read(pid, "stat") if descriptor is None else os.pread(descriptor, STAT, 0)
            self._take(process, text)
            process.seen, process.changed = now, self.number
            process.due = now + DUE * (pid % 16 + 1) / 16  # Not all in one scan.
            if not process.kernel:
                self._look_closer(files, process)
                self._look_at_io(files, process, now)
        except OSError:
            files.release(descriptor)
            raise
        return process

    def _changed(self, files: Files, process: Process, text: bytes) -> None:
        before, ticks = counted(process), process.ticks
        started, name = process.started, process.comm
        self._take(process, text)
        if process.started != started:
            raise ProcessLookupError  # The pid is another's by now, who is met when the folder is listed.
        if not process.kernel:
            self._look_at_io(files, process, self.at)
        self.book.add(process, before)
        process.changed, process.due = self.number, min(process.due, self.at + DUE)
        if process.ticks > ticks and self.at > process.seen:
            process.moved = self.number
            process.cpu = (process.ticks - ticks) / TICKS / (self.at - process.seen)
        if process.comm != name:
            self._look_closer(files, process)
            self.book.place(process)

    def _take(self, process: Process, text: bytes) -> None:
        """The numbers of a stat (proc(5); here counted from the state)."""
        name, fields = parted(text)
        process.text = text
        process.comm = shown(name)
        process.state = fields[0].decode()
        process.kernel = bool(int(fields[6]) & KERNEL)
        process.minor, process.major = int(fields[7]), int(fields[9])
        process.user, process.system = int(fields[11]), int(fields[12])
        process.threads, process.started = int(fields[17]), int(fields[19])
        process.virtual, process.resident = int(fields[20]), int(fields[21]) * PAGE

    def _glance(self, files: Files, process: Process) -> None:
        """Read what says little; of one that has ended, for the last time until it changes."""
        if process.kernel or process.state == ZOMBIE:
            process.due = inf
        else:
            process.due = self.at + (DUE if process.changed > process.glanced else CALM)
        process.glanced = self.number
        if process.kernel:
            return
        before, unit = counted(process), process.unit
        self._look_closer(files, process)
        if process.io_at != self.at:
            self._look_at_io(files, process, self.at)
        self.book.add(process, before)
        if process.unit != unit:
            self.book.place(process)

    def _look_closer(self, files: Files, process: Process) -> None:
        """What one file does not tell, perhaps as its process ends, another may."""
        with suppress(*SILENT):
            status = files.read(process.pid, "status")
            process.uid = number(UID, status)
            process.swapped = (number(SWAPPED, status) or 0) << 10
            process.voluntary = number(VOLUNTARY, status) or process.voluntary
            process.involuntary = number(INVOLUNTARY, status) or process.involuntary
        with suppress(*SILENT):
            process.fds = files.descriptors(process.pid)
        with suppress(*SILENT):
            process.unit = unit_of(files.read(process.pid, "cgroup"))

    def _look_at_io(self, files: Files, process: Process, now: float) -> None:
        """Bytes from and to storage; None for those of whom we may not know (ptrace(2), access modes)."""
        read, written, since = process.read, process.written, process.io_at
        process.read = process.written = process.read_rate = process.write_rate = None
        with suppress(*SILENT):
            if found := IO.search(files.read(process.pid, "io")):
                process.read, process.written = int(found[1]), int(found[2])
                process.io_at = now
        if process.read is None or process.written is None or read is None or written is None:
            return
        if since is not None and now > since:
            process.read_rate = (process.read - read) / (now - since)
            process.write_rate = (process.written - written) / (now - since)


def number(pattern: re.Pattern[bytes], text: bytes) -> int | None:
    """The number that a pattern finds; None where it finds none."""
    found = pattern.search(text)
    return int(found[1]) if found else None
