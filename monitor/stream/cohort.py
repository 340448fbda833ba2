"""Sessions in step: all of them are sent the same, so a tick touches their sockets and nothing else of them.

A member needs nothing but the shared frames until its credit may run out or it may have to be parked; before
that, and whenever it asks for anything, hides, closes or does not drain, it leaves, and its session goes on
by itself from where it is.  To leave early costs a little time and changes nothing that the client can see:
the rules are the session's (session.py), and it comes back when it is in step again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from monitor.stream.beat import Beat
from monitor.stream.credit import Sent
from monitor.stream.frames import Frame
from monitor.stream.ledger import NOBODY, Ledger
from monitor.stream.source import Followed

TURN = 500
"""Members served before the event loop may look at its sockets again."""
ROOM = 64
IDLE = sys.maxsize
"""The place of the next to be served while nobody is: all have had everything."""


class Carrier(Protocol):
    """What is asked of the sockets of many connections at once."""

    def broadcast(self, sockets: Sequence[Any], data: bytes) -> list[tuple[int, int]]:
        """Give the same bytes to each that is not None.

        Those who did not take them all, by place, with what they took; -1 where the socket is dead.
        """

    def waiting(self, sockets: Sequence[Any]) -> list[int]:
        """Bytes that the kernel has still to deliver, of each; -1 where there is no telling."""


class Allowance(NamedTuple):
    """What a member may be sent without being looked at."""

    messages: int
    size: int
    """Bytes."""
    until: float
    """Seconds."""


class Member(Protocol):
    """What a cohort asks of a session."""

    cohort: Cohort | None
    place: int

    def settle(self, sent: Sequence[Sent], columns: Sequence[int]) -> None:
        """Note what was sent since it joined or was last settled, and the newest column sent of each feed."""

    def allowance(self, now: float) -> Allowance:
        """Counted from now."""


class Served(NamedTuple):
    """Some of the members, at a tick."""

    number: int
    short: list[tuple[Any, int]]
    """Those who did not take everything have left; with what they took."""


class Cohort:
    """Columns of members, by place: those who leave make holes, which are closed before the next tick."""

    def __init__(self, feeds: Sequence[Followed], deflate: bool, left: Callable[[Any], None]) -> None:
        """`left` is told of each member that leaves."""
        self.feeds = tuple(feeds)
        self.deflate = deflate
        self.left = left
        self.columns = [feed.n for feed in feeds]
        self.members: list[Member | None] = []
        self.sockets: list[object | None] = []
        self._slots = np.zeros(ROOM, np.intp)
        self._ends = np.zeros((len(Allowance._fields), ROOM))
        self._settled: list[int] = []
        """How many messages had been sent when the member was last settled."""
        self._log: list[Sent] = []
        self._forgotten = 0
        """Messages that the log began with and that all are settled of."""
        self._most = TURN
        self._size = 0
        self._now = 0.0
        self._holes: list[int] = []
        self._next = IDLE
        self._before = 0, self.columns

    def __len__(self) -> int:
        return len(self.members) - len(self._holes)

    @property
    def count(self) -> int:
        """Messages sent since it began."""
        return self._forgotten + len(self._log)

    def join(self, member: Member, socket: object, slot: int) -> None:
        """Between two ticks."""
        place = len(self.members)
        if place == len(self._slots):
            self._slots = np.concatenate((self._slots, np.zeros_like(self._slots)))
            self._ends = np.concatenate((self._ends, np.zeros_like(self._ends)), axis=1)
        member.cohort, member.place = self, place
        self.members.append(member)
        self.sockets.append(socket)
        self._settled.append(self.count)
        self._slots[place] = slot
        self.renew(member)

    def settle(self, member: Member) -> None:
        """Bring a member's own state up to what it was sent."""
        count, columns = self._before if member.place >= self._next else (self.count, self.columns)
        first = self._settled[member.place] - self._forgotten
        member.settle(self._log[first : count - self._forgotten], columns)
        self._settled[member.place] = count

    def renew(self, member: Member) -> None:
        """The member's credit has changed; it is settled."""
        messages, size, until = member.allowance(self._now)
        sent = sum(each.size for each in self._log[self._settled[member.place] - self._forgotten :])
        self._ends[:, member.place] = (
            self._settled[member.place] + messages,
            self._size - sent + size,
            until,
        )

    def leave(self, member: Member) -> None:
        self.settle(member)
        place = member.place
        self.members[place] = self.sockets[place] = None
        self._slots[place] = NOBODY
        self._ends[:, place] = np.inf
        self._holes.append(place)
        member.cohort = None
        self.left(member)

    def advance(self, now: float, beat: Beat) -> list[Frame]:
        """What all are sent at a tick; `serve` must follow.  Nobody is left where nothing is shared."""
        self._disband(range(self._next, len(self.members)))  # A tick that failed did not reach these.
        self._next = IDLE
        self._close_holes()
        self._now = now
        due: list[Frame] = []
        sent: list[Sent] = []
        for feed, column in zip(self.feeds, self.columns, strict=True):
            if feed.n == column:
                continue
            if feed.n != column + 1 or not feed.frames:
                self._disband(range(len(self.members)))
                return []
            due += feed.frames
            sent.append(Sent(feed.id, feed.n, feed.size, now))
        self._disband(self._ending(sent))
        self._note(sent)
        return beat.after(due)

    def serve(self, data: bytes, carrier: Carrier, ledger: Ledger) -> Iterator[Served]:
        """Send to all, some at a time."""
        last = len(self.members)
        while self._next < last:
            places = slice(self._next, min(self._next + TURN, last))
            slots = self._slots[places]
            self._disband((np.flatnonzero(ledger.disturbed[slots]) + places.start).tolist())
            short = carrier.broadcast(self.sockets[places], data)
            ledger.written[slots] += len(data)
            number = int(np.count_nonzero(slots != NOBODY))
            self._next = places.stop
            leaving = [(self.members[places.start + place], taken) for place, taken in short]
            self._disband([places.start + place for place, _ in short])
            yield Served(number, leaving)
        self._next = IDLE

    def _note(self, sent: Sequence[Sent]) -> None:
        """These are being sent; whoever is not served yet has not got them."""
        self._before = self.count, self.columns
        self._next = 0
        self.columns = [feed.n for feed in self.feeds]
        self._log += sent
        self._size += sum(each.size for each in sent)
        if len(self._log) > self._most:
            self._forget()

    def _forget(self) -> None:
        """Drop what every member is settled of."""
        settled = min(self._settled, default=self.count)
        del self._log[: settled - self._forgotten]
        self._forgotten = settled
        self._most = TURN + 2 * len(self._log)

    def _ending(self, sent: Sequence[Sent]) -> Sequence[int]:
        """The places of those who may not be sent all this without being looked at."""
        reached = self.count + len(sent) - 1, self._size + sum(each.size for each in sent[:-1]), self._now
        over = self._ends[:, : len(self.members)] <= np.array(reached)[:, None]
        places: list[int] = np.flatnonzero(over.any(axis=0)).tolist()
        return places

    def _disband(self, places: Sequence[int]) -> None:
        for place in places:
            member = self.members[place]
            if member is not None:
                self.leave(member)

    def _close_holes(self) -> None:
        """Put the last into each hole, so that nothing else has to move."""
        for hole in sorted(self._holes, reverse=True):
            last = len(self.members) - 1
            member, socket, settled = self.members.pop(), self.sockets.pop(), self._settled.pop()
            if hole == last or member is None:
                continue
            self.members[hole], self.sockets[hole], self._settled[hole] = member, socket, settled
            self._slots[hole], self._ends[:, hole] = self._slots[last], self._ends[:, last]
            member.place = hole
        self._holes.clear()
