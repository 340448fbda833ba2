"""The resolutions that history is kept in: three instances of one thing.

A tier's rows lie in slots of equal length, closed on the right: slot s of a tier with slots of L ms holds the
rows with s * L < time <= (s + 1) * L.  A row stands for what came after the last whole minute or hour, up to
the next, and bears the time of the last sample in it, so that what is asked for whole minutes or hours is
made of whole rows.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.model import Floats, Labels, Metric, Times
from monitor.storage import Aspect

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000

SPAN = 24
"""Slots of one file."""


class Tier(NamedTuple):
    """One resolution."""

    name: str
    step: int
    """Milliseconds that a row stands for; 0 for samples as they came."""
    slot: int
    """Milliseconds of a slot."""
    aspects: tuple[Aspect, ...]
    """What a row keeps of each series."""

    def slot_at(self, time: int) -> int:
        """The number of the slot that holds a time."""
        return -(-time // self.slot) - 1

    def span_at(self, time: int) -> int:
        """The number of the file that holds a time."""
        return self.slot_at(time) // SPAN


ROLLED: tuple[Aspect, ...] = ("last", "min", "max", "sum", "count", "lost")

RAW = Tier("raw", 0, 15 * MINUTE, ("last",))
MINUTES = Tier("m1", MINUTE, 240 * MINUTE, ROLLED)
HOURS = Tier("h1", HOUR, 240 * HOUR, ROLLED)
TIERS = (RAW, MINUTES, HOURS)


class Entry(NamedTuple):
    """A series as it is stored."""

    labels: Labels
    """With `__name__` and the target's, sorted by name."""
    metric: Metric


class Slab(NamedTuple):
    """Rows of one target in one slot of a tier: what is closed into a file at once, and what is not yet."""

    tier: Tier
    target: Labels
    slot: int
    times: Times
    """(n,) ascending milliseconds."""
    entries: tuple[Entry, ...]
    """The k series; each has a sample in some row."""
    values: Floats
    """(aspects, n, k), the stale NaN (STALE_BITS) where a series has no sample."""
