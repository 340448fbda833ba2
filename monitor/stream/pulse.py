"""The signs of life of one connection: pings out, pongs in, bytes that get through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from monitor.stream.liveness import Facts

CALM = 0.25
"""How much of the rate is that of the newest sweep."""


class Pulse:
    """Kept by a connection for the sweep.  Times are seconds of the sweep's clock, sizes are bytes."""

    __slots__ = (
        "_acknowledged",
        "_marks",
        "_pings",
        "_stuck_since",
        "_swept",
        "_written",
        "closing_since",
        "heard_at",
        "pinged_at",
        "rate",
        "round_trip",
        "undrained",
    )

    def __init__(self, now: float) -> None:
        self.heard_at = now
        self.pinged_at = now
        self.round_trip: float | None = None
        """Seconds, of the newest answered ping."""
        self.closing_since: float | None = None
        self.rate = 0.0
        """Bytes a second acknowledged by the peer's TCP, smoothed over some sweeps."""
        self.undrained = 0
        """Bytes that were not, at the last sweep."""
        self._swept = now
        self._marks: tuple[_Mark, ...] = ()
        self._pings: dict[bytes, _Ping] = {}
        self._written = 0
        self._acknowledged = 0
        self._stuck_since: float | None = None

    def wrote(self, size: int) -> None:
        self._written += size

    def pinged(self, payload: bytes, now: float) -> None:
        """A ping went out.  An earlier one of the same payload keeps its time: it has not been answered."""
        self.pinged_at = now
        self._pings.setdefault(payload, _Ping(now, self._written))

    def ponged(self, payload: bytes, now: float) -> float | None:
        """A pong came; the round trip in seconds if it answers a ping of ours."""
        self.heard_at = now
        ping = self._pings.pop(payload, None)
        if ping is None:
            return None
        self._pings = {key: other for key, other in self._pings.items() if other.sent_at > ping.sent_at}
        self.round_trip = now - ping.sent_at
        return self.round_trip

    def waiting(self, size: int, now: float) -> None:
        """So many bytes written have not been acknowledged by the peer's TCP."""
        if not (size or self.undrained or self._pings):
            self._calm(self._written, now)
            return
        acknowledged = self._written - size
        if size == 0:
            self._stuck_since = None
        elif acknowledged > self._acknowledged or self._stuck_since is None:
            self._stuck_since = now
        self._measure(size, acknowledged, now)
        for ping in self._pings.values():
            if ping.delivered_at is None and acknowledged >= ping.offset:
                ping.delivered_at = now

    @property
    def undrained_since(self) -> float | None:
        """When the oldest of those bytes was written, to within a sweep."""
        return self._marks[0].at if self._marks else None

    def _measure(self, size: int, acknowledged: int, now: float) -> None:
        self._calm(acknowledged, now)
        self.undrained = size
        if not size:
            self._marks = ()
            return
        marks = tuple(mark for mark in self._marks if mark.offset > acknowledged)
        grown = not marks or marks[-1].offset < self._written
        self._marks = (*marks, _Mark(self._written, now)) if grown else marks

    def _calm(self, acknowledged: int, now: float) -> None:
        """The rate, smoothed."""
        if now > self._swept:
            arrived = max(0, acknowledged - self._acknowledged)
            self.rate += CALM * (arrived / (now - self._swept) - self.rate)
            self._swept = now
        self._acknowledged = acknowledged

    def facts(self, now: float, closing: bool) -> Facts:
        if closing and self.closing_since is None:
            self.closing_since = now
        if not (self._pings or closing or self._stuck_since is not None):
            return Facts(pinged_at=self.pinged_at)
        delivered = [ping.delivered_at for ping in self._pings.values() if ping.delivered_at is not None]
        return Facts(
            closing_since=self.closing_since,
            pinged_at=self.pinged_at,
            unanswered=bool(self._pings),
            unanswered_since=min(delivered, default=None),
            stuck_since=self._stuck_since,
        )


class _Mark(NamedTuple):
    """By this sweep, so many bytes had been written."""

    offset: int
    at: float


@dataclass(slots=True)
class _Ping:
    sent_at: float
    offset: int
    """Bytes written before it: once those and the ping itself are acknowledged, it was delivered."""
    delivered_at: float | None = None
