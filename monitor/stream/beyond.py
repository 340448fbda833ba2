"""What feeds need that memory does not have: threads work it out, and the event loop passes it on.

An answer about the past ends with the column that was the newest when it was asked for; what came since is
sent like anything that was missed.  A feed whose queries look farther back than memory goes on when its
column is worked out, most often with the next tick.
"""

from __future__ import annotations

from functools import partial

from monitor.formats import live
from monitor.promql import Archive, QueryError
from monitor.storage import Storage
from monitor.stream.feed import Feed
from monitor.stream.frames import Frame
from monitor.stream.recall import Answer, Told, TooLargeError, Wanted, answers_of, tell
from monitor.stream.source import Brought, Delivery, PastError, Stretch

KEPT = 8
"""Answers kept for others who ask for the same; each may be of megabytes."""
Key = tuple[int, int, int, bool]
"""Feed, after, n, and whether too much is refused."""


class Beyond:
    """Who asks for the same is told the same, which is worked out once."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._awaited: dict[Key, list[tuple[Brought, int | None]]] = {}
        self._told: dict[Key, Told] = {}
        self._advancing: set[int] = set()

    def holds(self, feed: Feed, after: int) -> bool:
        """Whether columns behind `after` are for this, because memory does not have all that they tell of."""
        ends = feed.depth.ends((after + 1) * feed.step, feed.n * feed.step)
        return after < feed.n and not self.archive.has(*ends)

    def leads(self, feed: Feed, now: int) -> bool:
        """Whether the newest column is for this, because memory never has all that it tells of."""
        return not self.archive.keeps(feed.depth.earliest(now), now)

    def bring(self, feed: Feed, stretch: Stretch, answer: Brought) -> None:
        """The columns after + 1 to n, where n is the feed's now, or `until` if that is earlier."""
        after, request, until = stretch
        n = feed.n if until is None else min(feed.n, until)
        key = feed.id, after, n, request is not None
        if key in self._told:
            answer(delivery(feed, self._told[key], request))
        elif not self.holds(feed, after):
            self._awaited[key] = [(answer, request)]
            self._take(feed, key, told(wanted(feed, after, n, refuse=request is not None), self.archive.near))
        elif key in self._awaited:
            self._awaited[key].append((answer, request))
        else:
            self._awaited[key] = [(answer, request)]
            work = partial(tell, wanted(feed, after, n, refuse=request is not None))
            self.archive.begin(work, feed.limits.seconds, partial(self._take, feed, key))

    def advance(self, feed: Feed, n: int) -> None:
        """Have column n worked out, unless another still is."""
        if n <= feed.n or feed.id in self._advancing:
            return
        self._advancing.add(feed.id)
        work = partial(answers_of, wanted(feed, n - 1, n, refuse=False))
        self.archive.begin(work, feed.limits.seconds, partial(self._advance, feed, n))

    def _take(self, feed: Feed, key: Key, found: Told | QueryError) -> None:
        if isinstance(found, Told):
            while len(self._told) >= KEPT:
                del self._told[next(iter(self._told))]
            self._told[key] = found
        for answer, request in self._awaited.pop(key):
            answer(refusal(found) if isinstance(found, QueryError) else delivery(feed, found, request))

    def _advance(self, feed: Feed, n: int, answers: list[Answer] | QueryError) -> None:
        self._advancing.discard(feed.id)
        if not isinstance(answers, QueryError):
            feed.take(n, answers)


def wanted(feed: Feed, after: int, n: int, *, refuse: bool) -> Wanted:
    return Wanted(feed.id, feed.queries, feed.step, tuple(feed.series), after, n, feed.limits, refuse)


def told(wanted: Wanted, storage: Storage) -> Told | QueryError:
    """What is told, of a storage that answers at once."""
    try:
        return tell(wanted, storage)
    except QueryError as error:
        return error


def delivery(feed: Feed, told: Told, request: int | None) -> Delivery:
    """The message, and what has to follow it: the series of the feed where they are others, and faults."""
    begins = live.COLUMNS if request is None else live.subscribed(request, feed.step)
    frames = [told.tail.after(begins)]
    if list(told.series) != feed.series:
        frames.append(Frame(live.series(feed.id, told.n + 1, feed.series)))
    frames += [
        Frame(live.notice("query_failed", message, query=query))
        for query, message in told.faults.items()
        if feed.faults.get(query) != message
    ]
    return Delivery(told.n, frames)


def refusal(error: QueryError) -> PastError:
    code = "too_large" if isinstance(error, TooLargeError) else "unavailable"
    return PastError(code, error.message)
