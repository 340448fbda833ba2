"""What the kernel said, counted: /dev/kmsg (Linux, Documentation/ABI/testing/dev-kmsg), from now on.

A record is `<facility and priority>,<number>,<microseconds>,<flags>;<text>`, one for each read; facility 0 is
the kernel's own.  A process that was killed because memory was short is an event.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator

from monitor.collect.host import Host
from monitor.model import Block, Event, Kind, Layout, Metric

PATH = "/dev/kmsg"
SIZE = 8192
MOST = 1000
"""Records that are read in one pass; the others wait, or are lost and counted."""
PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
MESSAGES = Metric("kernel_messages_total", Kind.COUNTER, "Messages of the kernel by priority.")
LOST = Metric("kernel_messages_lost_total", Kind.COUNTER, "Messages overwritten before they were read.")
COUNTS = Layout([*(MESSAGES.at(priority=each) for each in PRIORITIES), LOST.at()])
RECORD = re.compile(rb"(\d+),(\d+),\d+,[^;]*;([^\n]*)")
OOM = re.compile(rb"^oom-kill:.*?,task_memcg=([^,]*),task=(.*),pid=(\d+),uid=\d+$")


class Kmsg:
    """Counts from when it is first asked; `opened` gives a descriptor that does not block."""

    def __init__(self, opened: Callable[[str], int] | None = None) -> None:
        self._opened = opened or newest
        self._descriptor: int | None = None
        self._counts = [0] * len(PRIORITIES)
        self._lost = 0
        self._next: int | None = None
        """The number of the record that comes next."""
        self._events: list[Event] = []

    def collect(self, host: Host) -> Iterator[Block]:
        if self._descriptor is None:
            self._descriptor = self._opened(host.root(PATH))
        for record in records(self._descriptor):
            self._take(record, round(host.now * 1000))
        yield Block(COUNTS, [*map(float, self._counts), float(self._lost)])

    def happened(self) -> list[Event]:
        """What happened since it was asked last."""
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self, record: bytes, now: int) -> None:
        found = RECORD.match(record)
        if found is None:
            raise ValueError(f"{PATH}: a record expected, found {record[:60]!r}")
        level, number, text = int(found[1]), int(found[2]), found[3]
        self._lost += max(number - self._next, 0) if self._next is not None else 0
        self._next = number + 1
        if level >= len(PRIORITIES):
            return  # Somebody else wrote it.
        self._counts[level] += 1
        if killed := OOM.match(text):
            group, task, pid = (part.decode(errors="replace") for part in killed.groups())
            why = f"{task} ({pid}) was killed: no memory left in {group}"
            self._events.append(Event(now, now, "oom", why))


def newest(path: str) -> int:
    """The file, behind the newest record.  Raises FileNotFoundError where the host has none or keeps it from
    us, as is usual for a service without rights (kernel.dmesg_restrict, ProtectKernelLogs=)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        raise FileNotFoundError(errno.ENOENT, "the service needs CAP_SYSLOG to read it", path) from error
    os.lseek(descriptor, 0, os.SEEK_END)
    return descriptor


def heard(host: Host) -> bool:
    """Whether the kernel's messages may be read here."""
    try:
        os.close(newest(host.root(PATH)))
    except OSError:
        return False
    return True


def records(descriptor: int) -> Iterator[bytes]:
    """The records that nobody has read yet, at most as many as a pass takes."""
    for _ in range(MOST):
        try:
            record = os.read(descriptor, SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.EPIPE:
                continue  # It was overwritten; the next read goes on with what is there.
            raise
        if not record:
            return
        yield record
