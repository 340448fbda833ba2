"""The signs of life of one connection: pings out, pongs in, bytes that get through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from monitor.stream.ledger import CALM, NOBODY, Ledger
from monitor.stream.liveness import Facts


class Pulse:
    """Kept by a connection for the sweep.  Times are seconds of the sweep's clock, sizes are bytes."""

    __slots__ = (
        "_closed_since",
        "_marks",
        "_pings",
        "_stuck_since",
        "closing_since",
        "ledger",
        "round_trip",
        "slot",
    )

    def __init__(self, ledger: Ledger, now: float, socket: object | None = None) -> None:
        """The socket is what the ledger's sweep may ask; without one it leaves the question to `facts`."""
        self.ledger = ledger
        self.slot = ledger.take(now, socket)
        self.round_trip: float | None = None
        """Seconds, of the newest answered ping."""
        self.closing_since: float | None = None
        self._closed_since: float | None = None
        self._marks: tuple[_Mark, ...] = ()
        self._pings: dict[bytes, _Ping] | None = None
        self._stuck_since: float | None = None

    def retire(self) -> None:
        """The connection has left."""
        if self.slot != NOBODY:
            self.ledger.give_back(self.slot)
            self.slot = NOBODY

    @property
    def rate(self) -> float:
        """Bytes a second acknowledged by the peer's TCP, smoothed over some sweeps."""
        return float(self.ledger.rate[self.slot])

    @property
    def undrained(self) -> int:
        """Bytes that were not, at the last sweep."""
        return int(self.ledger.undrained[self.slot])

    @property
    def undrained_since(self) -> float | None:
        """When the oldest of those bytes was written, to within a sweep."""
        return self._marks[0].at if self._marks else None

    def wrote(self, size: int) -> None:
        """Whatever is written counts, pings and pongs as well, or those would hide what is acknowledged."""
        self.ledger.written[self.slot] += size

    def disturbed(self) -> None:
        """Something waits in the stream, or a close frame was written: nothing may be put past it."""
        self.ledger.disturbed[self.slot] = self.ledger.watched[self.slot] = True

    def pinged(self, payload: bytes, now: float) -> None:
        """A ping was written.  One of the same payload before it keeps its time: it was not answered."""
        self.ledger.pinged_at[self.slot] = now
        self.ledger.watched[self.slot] = True
        self._pings = self._pings or {}
        self._pings.setdefault(payload, _Ping(now, int(self.ledger.written[self.slot])))

    def ponged(self, payload: bytes, now: float) -> float | None:
        """A pong came; the round trip in seconds if it answers a ping of ours."""
        if self._pings is None or payload not in self._pings:
            return None
        ping = self._pings.pop(payload)
        later = {key: other for key, other in self._pings.items() if other.sent_at > ping.sent_at}
        self._pings = later or None
        self.round_trip = now - ping.sent_at
        return self.round_trip

    def waiting(self, size: int, now: float) -> None:
        """So many bytes written have not been acknowledged by the peer's TCP."""
        ledger, slot = self.ledger, self.slot
        acknowledged = int(ledger.written[slot]) - size
        if size == 0:
            self._stuck_since = None
        elif acknowledged > ledger.acknowledged[slot] or self._stuck_since is None:
            self._stuck_since = now
        self._calm(acknowledged, now)
        self._mark(size, acknowledged, now)
        for ping in (self._pings or {}).values():
            if ping.delivered_at is None and acknowledged >= ping.offset:
                ping.delivered_at = now

    def _calm(self, acknowledged: int, now: float) -> None:
        """The rate, smoothed."""
        ledger, slot = self.ledger, self.slot
        if now > ledger.swept[slot]:
            arrived = max(0, acknowledged - int(ledger.acknowledged[slot]))
            ledger.rate[slot] += CALM * (arrived / (now - ledger.swept[slot]) - ledger.rate[slot])
            ledger.swept[slot] = now
        ledger.acknowledged[slot] = acknowledged

    def _mark(self, size: int, acknowledged: int, now: float) -> None:
        self.ledger.undrained[self.slot] = size
        if not size:
            self._marks = ()
            return
        written = acknowledged + size
        marks = tuple(mark for mark in self._marks if mark.offset > acknowledged)
        grown = not marks or marks[-1].offset < written
        self._marks = (*marks, _Mark(written, now)) if grown else marks

    def closed(self, now: float) -> Facts:
        """What is known when its stream is gone, and it has not left."""
        if self._closed_since is None:
            self._closed_since = now
        return Facts(closed_since=self._closed_since)

    def facts(self, now: float, closing: bool) -> Facts:
        """What is known; afterwards the ledger tells whether the next sweep has to look again."""
        if closing and self.closing_since is None:
            self.closing_since = now
        pings = self._pings or {}
        self.ledger.watched[self.slot] = bool(pings) or closing or self._stuck_since is not None
        delivered = [ping.delivered_at for ping in pings.values() if ping.delivered_at is not None]
        return Facts(
            closing_since=self.closing_since,
            pinged_at=float(self.ledger.pinged_at[self.slot]),
            unanswered=bool(pings),
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
    """Bytes written up to its end: once they are acknowledged, it was delivered."""
    delivered_at: float | None = None
