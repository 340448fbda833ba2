"""The feeds and tables that run, each once, by what they were asked for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import TypeAlias

from monitor.access import Permissions
from monitor.formats.live import WHOLE, View
from monitor.model import Labels
from monitor.promql import Archive, Limits, Moment, Query, QueryError, parse
from monitor.storage import Storage
from monitor.stream.beyond import Beyond
from monitor.stream.feed import Feed, FeedError, text_of
from monitor.stream.isolation import Isolated, nowhere
from monitor.stream.source import Asked, Brought, Delivery, Followed, Opened, Stretch
from monitor.stream.table import MOST, Gather, Table

RATE_STEPS = 5
"""Steps in `$__rate_interval`: enough samples for a calm rate, few enough to be live."""
TURN = 0.005
"""Seconds of evaluating before the event loop may look at its sockets again."""

_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")
_Key: TypeAlias = tuple[str, int, Permissions] | tuple[str, View, Permissions]


class Feeds:
    """Feeds with the same queries (after normalisation), step and permissions are one feed; the last to leave
    stops it."""

    def __init__(
        self,
        storage: Storage,
        step: int,
        limits: Limits,
        wall: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        isolated: Isolated = nowhere,
        archive: Archive | None = None,
    ) -> None:
        """Step in ms; wall gives the Unix time in seconds while nothing has been stored.  `archive` has what
        is older than what the storage has, which is in memory."""
        self.beyond = Beyond(archive or Archive(storage))
        self.isolated = isolated
        self.storage = storage
        self.step = step
        self.limits = limits
        self.wall = wall
        self.clock = clock
        self.now: int | None = None
        """Time of the newest tick, ms."""
        self.tables: dict[str, Gather] = {}
        """What each table shows, by its name."""
        self._running: dict[_Key, Feed | Table] = {}
        self._listeners: dict[_Key, int] = {}
        self._ids = count(1)

    def __len__(self) -> int:
        return len(self._running)

    def open(
        self,
        texts: Sequence[str],
        variables: Mapping[str, str],
        step: int,
        may: Permissions = frozenset(),
    ) -> Feed:
        """The feed of these queries for those who may do this, started if need be.

        Raises FeedError; pair it with `close`.
        """
        known = {"__rate_interval": f"{RATE_STEPS * step}ms", **variables}
        queries, words = _parsed(tuple(texts), tuple(sorted(known.items())))
        feed = self._running.get((words, step, may))
        if not isinstance(feed, Feed):
            feed = Feed(next(self._ids), queries, step, self.limits, self._newest(step), may)
            feed.check(self.storage)
        self._listen(feed)
        return feed

    def open_table(self, name: str, may: Permissions, view: View = WHOLE) -> Table:
        """The table of this name (one of `tables`), viewed so, for those who may do this.

        Raises FeedError; pair it with `close`.
        """
        running = self._running.get((name, view, may))
        tables = [running] if isinstance(running, Table) else []
        if not tables:
            if sum(isinstance(each, Table) for each in self._running.values()) >= MOST:
                raise FeedError(
                    0, QueryError(f"{MOST} tables are watched already; ask for one of those", None)
                )
            with self.isolated(f"the table {name}"):
                newest = self._newest(self.step)
                tables.append(Table(next(self._ids), name, view, may, self.step, newest, self.tables[name]))
        if not tables:
            text = f"the table {name} cannot be made at present; the log of the service says why"
            raise FeedError(0, QueryError(text, None))
        self._listen(tables[0])
        return tables[0]

    def ask(self, asked: Asked, answer: Opened) -> None:
        """Open what is asked for; the answer comes within the call."""
        found: Followed | FeedError
        try:
            found = self.find(asked)
        except FeedError as error:
            found = error
        answer(found)

    def find(self, asked: Asked) -> Feed | Table:
        """What is asked for, opened.  Raises FeedError."""
        if asked.table is not None:
            return self.open_table(asked.table, asked.may, asked.view)
        return self.open(asked.queries, dict(asked.variables), asked.step, asked.may)

    def bring(self, feed: Followed, stretch: Stretch, answer: Brought) -> None:
        """The columns of a stretch; the answer comes within the call where memory has them."""
        assert isinstance(feed, Feed | Table)
        if isinstance(feed, Feed) and (stretch.until is not None or self.beyond.holds(feed, stretch.after)):
            self.beyond.bring(feed, stretch, answer)
        else:
            answer(Delivery(feed.n, [feed.past(stretch.after, self.storage, stretch.request)]))

    def close(self, feed: Followed) -> None:
        """One listener less."""
        assert isinstance(feed, Feed | Table)
        key = feed.key
        self._listeners[key] -= 1
        if not self._listeners[key]:
            del self._running[key], self._listeners[key]

    def limit(self, limits: Limits) -> None:
        """What queries may cost from now on, those that run among them."""
        self.limits = limits
        for feed in self._running.values():
            if isinstance(feed, Feed):
                feed.limits = limits

    def followed(self, table: str) -> bool:
        """Whether anybody watches the table of this name."""
        return any(isinstance(each, Table) and each.name == table for each in self._running.values())

    def advance(self, now: int) -> None:
        """Bring every feed to the time now (ms) in one turn."""
        for _ in self.turns(now):
            pass

    def turns(self, now: int) -> Iterator[None]:
        """Bring every feed to the time now (ms), and stop between two where others should have their turn.

        A feed's number and frames change together, so who asks meanwhile finds each at the old column or at
        the new one, whole; one that is opened meanwhile begins at the new.
        """
        if self.now is not None and now <= self.now:
            return
        self.now = now
        moment = Moment(self.storage, self.limits)
        begun = self.clock()
        for feed in tuple(self._running.values()):
            if self._running.get(feed.key) is feed:
                with self.isolated(f"the table {feed.name}" if isinstance(feed, Table) else "a feed"):
                    self._advance(feed, now, moment)
            if self.clock() - begun > TURN:
                yield
                begun = self.clock()

    def _advance(self, feed: Feed | Table, now: int, moment: Moment) -> None:
        if isinstance(feed, Feed) and self.beyond.leads(feed, now):
            self.beyond.advance(feed, now // feed.step)
        else:
            feed.advance(now // feed.step, moment)

    def _newest(self, step: int) -> int:
        """Number of the newest column."""
        # Before the first tick the newest column may still be measured: it must come as a tick.
        now = int(self.wall() * 1000) - step if self.now is None else self.now
        return now // step

    def _listen(self, feed: Feed | Table) -> None:
        self._running[feed.key] = feed
        self._listeners[feed.key] = self._listeners.get(feed.key, 0) + 1


@lru_cache(maxsize=256)
def _parsed(texts: tuple[str, ...], variables: Labels) -> tuple[tuple[Query, ...], str]:
    """The queries of a subscription, and all of them as one text.

    Parsing a board takes longer than all the rest of a handshake, and a thousand viewers ask for the same.
    """
    known, queries = dict(variables), []
    for index, text in enumerate(texts):
        try:
            queries.append(parse(substitute(text, known)))
        except QueryError as error:
            raise FeedError(index, error) from error
    return tuple(queries), text_of(queries)


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Text with `$name` and `${name}` replaced.  Values are escaped as inside a PromQL string.

    Raises QueryError for a name without a value.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in variables:
            raise QueryError(f"variable ${name} has no value", match.start())
        return variables[name].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return _VARIABLE.sub(value, text)
