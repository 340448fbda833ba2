"""Failures and restarts of units, told so that one that goes round in circles does not fill the time line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.model import Event

QUIET = 60_000
"""Milliseconds in which what happens to a unit again is told in one."""
UNITS = 100
"""Units that are told apart within them."""
OTHERS = "other units"
Trouble = tuple[str, str]
"""Kind and unit."""


@dataclass
class Again:
    """What happened since the last event."""

    until: int
    """When it is told of."""
    first: int = 0
    last: int = 0
    count: int = 0


class Troubles:
    """The first of a kind of a unit is told at once, those of the minute after it in one."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._again: dict[Trouble, Again] = {}

    def note(self, time: int, kind: str, unit: str, detail: str) -> None:
        """It happened at a time in ms, `detail` tells more of it."""
        known = (kind, unit) in self._again or len(self._again) < UNITS
        again = self._again.get((kind, unit if known else OTHERS))
        if again is None:
            again = self._again[kind, unit if known else OTHERS] = Again(time + QUIET)
            if known:
                self._events.append(Event(time, time, kind, f"{unit} {said(kind, 1)}{detail}"))
                return
        again.first = again.first or time
        again.last = max(again.last, time)
        again.count += 1

    def told(self, now: int) -> list[Event]:
        """The events since it was asked last; `now` in ms."""
        events, self._events = [*self._events, *self._due(now)], []
        return events

    def _due(self, now: int) -> Iterator[Event]:
        for (kind, unit), again in list(self._again.items()):
            if now < again.until and again.until - now <= QUIET:
                continue
            if again.count:
                yield Event(again.first, again.last, kind, f"{unit} {said(kind, again.count)}")
                self._again[kind, unit] = Again(now + QUIET)
            else:
                del self._again[kind, unit]


def said(kind: str, count: int) -> str:
    """What happened, so many times."""
    verb = "failed" if kind == "failed" else "is restarted"
    return verb if count == 1 else f"{verb} {count} times"
