"""Messages in systemd's journal, counted by the unit that they came from; failures and restarts of units.

The files are read as they are written (monitor.collect.journald), from now on.  What systemd itself says of a
unit that failed or is started again is an event; others may write the same, and are not believed.
"""

from __future__ import annotations

import errno
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from monitor.collect.host import Host
from monitor.collect.journald.fields import FAILED, RESTARTED, Field
from monitor.collect.journald.file import Entry
from monitor.collect.journald.follow import Fault, Follower
from monitor.collect.journald.troubles import QUIET, Troubles
from monitor.collect.kmsg import PRIORITIES
from monitor.collect.shape import Shape
from monitor.collect.table import Entry as Labelled
from monitor.collect.tree import UNREADABLE
from monitor.model import Block, Event, Kind, Layout, Metric

log = logging.getLogger(__name__)

UNITS = 60
MOST = 1000
"""Messages that are read in one pass; the others wait."""
MESSAGES = Metric(
    "journal_messages_total", Kind.COUNTER, "Messages in systemd's journal by unit and priority."
)
LOST = Metric(
    "journal_messages_lost_total",
    Kind.COUNTER,
    "Messages that are not counted, as they came faster than they are read.",
)
ABOUT = Layout([LOST.at(), UNREADABLE.at(collector="journal")])
NONE, KERNEL, OTHER = "none", "kernel", "other"
"""Units of messages that no unit sent; the kernel's; those beyond the bound."""
GROUP = "systemd-journal"


class Meaning(NamedTuple):
    """What the fields of a message say."""

    unit: str
    priority: str
    kind: str = ""
    """Of the event that it is; empty for none."""
    about: str = ""
    """The unit that the event is of."""
    detail: str = ""


class Journal:
    """At most `units` of them apart; with `past`, what is in the files already counts."""

    def __init__(self, units: int = UNITS, *, past: bool = False) -> None:
        self._most = units
        self._follower = Follower(past=past)
        self._units: set[str] = set()
        self._counts: dict[tuple[str, str], int] = {}
        self._shown: set[tuple[str, str]] = set()
        self._shape: Shape[tuple[str, str]] = Shape(labelled)
        self._troubles = Troubles()
        self._now = 0
        self._said: dict[str, tuple[str, int]] = {}
        """Why each file was left out, and when it was last."""

    def collect(self, host: Host) -> Iterator[Block]:
        self._now = round(host.now * 1000)
        for entries in self._follower.entries(host, MOST):
            self._count(entries)
        self._note(self._follower.faults)
        if self._follower.faults and not self._follower.files:
            raise refused(next(iter(self._follower.faults.values())).error)
        # A series begins at 0, so that a rate over it has its first messages.
        yield self._shape.block(
            {key: float(count if key in self._shown else 0) for key, count in self._counts.items()}
        )
        self._shown.update(self._counts)
        yield Block(ABOUT, [float(self._follower.lost), float(len(self._follower.faults))])

    def happened(self) -> list[Event]:
        """What happened to units since it was asked last."""
        return self._troubles.told(self._now)

    def close(self) -> None:
        """Let go of the files."""
        self._follower.close()

    def _count(self, entries: list[Entry]) -> None:
        # Entries that are alike have one and the same tuple, and there is no need to look into each.
        lists = [entry.fields for entry in entries]
        counts = Counter(map(id, lists))
        for number, fields in {id(each): each for each in lists}.items():
            count = counts[number]
            means = meaning(fields)
            key = self._unit(means.unit), means.priority
            self._counts[key] = self._counts.get(key, 0) + count
            if means.kind:
                for entry in entries:
                    if entry.fields is fields:
                        time = min(entry.time // 1000, self._now)
                        self._troubles.note(time, means.kind, means.about, means.detail)

    def _unit(self, name: str) -> str:
        if name in self._units or name in (NONE, KERNEL):
            return name
        if len(self._units) >= self._most:
            return OTHER
        self._units.add(name)
        return name

    def _note(self, faults: Mapping[str, Fault]) -> None:
        """Log what cannot be read, once for each reason; one that comes and goes is the same."""
        self._said = {path: said for path, said in self._said.items() if self._now - said[1] < QUIET}
        reasons = {path: str(fault.error) for path, fault in faults.items()}
        new = [path for path, why in reasons.items() if self._said.get(path, ("", 0))[0] != why]
        self._said |= {path: (why, self._now) for path, why in reasons.items()}
        if new:
            error = faults[new[0]].error
            level = logging.INFO if isinstance(error, PermissionError) else logging.WARNING
            others = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
            log.log(level, "collector journal: left out: %s%s", refused(error), others)


@lru_cache(1000)
def meaning(fields: tuple[Field, ...]) -> Meaning:
    """What the fields of a message say."""
    told = dict(fields)
    unit = told.get("_SYSTEMD_UNIT") or (KERNEL if "_TRANSPORT" in told else NONE)
    if unit.startswith("session-") and unit.endswith(".scope"):
        unit = told.get("_SYSTEMD_SLICE", unit)  # There is a new one for every log-in.
    level = told.get("PRIORITY", "")
    priority = PRIORITIES[int(level)] if level in tuple("01234567") else NONE
    about, number = told.get("UNIT", ""), told.get("MESSAGE_ID")
    if told.get("_PID") != "1" or not about:
        return Meaning(unit, priority)
    if number == FAILED:
        return Meaning(unit, priority, "failed", about, told_more(": ", told.get("UNIT_RESULT", "")))
    if number == RESTARTED:
        return Meaning(unit, priority, "restart", about, told_more(": restart ", told.get("N_RESTARTS", "")))
    return Meaning(unit, priority)


def told_more(before: str, text: str) -> str:
    return f"{before}{text}" if text else ""


def labelled(key: tuple[str, str]) -> Labelled:
    unit, priority = key
    return MESSAGES.at(unit=unit, priority=priority)


def refused(error: OSError | ValueError) -> OSError | ValueError:
    """Why a file is not read.  What is kept from us is no fault, as is usual for a service without rights."""
    if isinstance(error, PermissionError):
        return FileNotFoundError(
            errno.ENOENT, f"the service needs the group {GROUP} to read it", error.filename
        )
    return error
