"""A group of processes: those of one name and one unit, added up as process-exporter does.

Counters are sums over all members there ever were, so they never fall when one ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Group:
    """Times in clock ticks, sizes in bytes; gauges hold for the newest scan."""

    name: str
    unit: str
    user: int = 0
    system: int = 0
    minor: int = 0
    major: int = 0
    read: int | None = None
    """None while no member could be asked; so the next."""
    written: int | None = None
    voluntary: int | None = None
    involuntary: int = 0
    number: int = 0
    threads: int = 0
    virtual: int = 0
    resident: int = 0
    swapped: int = 0
    fds: int | None = None
    oldest: int = 0
    """Start of the member that started first, in ticks after boot."""
    states: dict[str, int] = field(default_factory=dict)
    empty_since: float | None = None
    """Since when it has no member, in seconds of the scan's clock."""

    def clear(self) -> None:
        """Begin a new count of the members."""
        self.number = self.threads = self.virtual = self.resident = self.swapped = self.oldest = 0
        self.fds = None
        self.states = {}
