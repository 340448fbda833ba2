"""The feeds that run, each once, by what they were asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TypeAlias

from monitor.promql import Limits, Query, QueryError, Selections, parse
from monitor.storage import Storage
from monitor.stream.feed import Feed, FeedError

RATE_STEPS = 5
"""Steps in `$__rate_interval`: enough samples for a calm rate, few enough to be live."""

_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")
_Key: TypeAlias = tuple[tuple[Query, ...], int]


class Feeds:
    """Feeds with the same queries (after normalisation) and step are one feed; the last to leave stops it."""

    def __init__(self, storage: Storage, step: int, limits: Limits, wall: Callable[[], float]) -> None:
        """Step in ms; wall gives the Unix time in seconds while nothing has been stored."""
        self.storage = storage
        self.step = step
        self.limits = limits
        self.wall = wall
        self.now: int | None = None
        """Time of the newest tick, ms."""
        self._running: dict[_Key, Feed] = {}
        self._listeners: dict[_Key, int] = {}
        self._ids = count(1)

    def __len__(self) -> int:
        return len(self._running)

    def open(self, texts: Sequence[str], variables: Mapping[str, str], step: int) -> Feed:
        """The feed of these queries, started if need be.  Raises FeedError; pair it with `close`."""
        known = {"__rate_interval": f"{RATE_STEPS * step}ms", **variables}
        key = tuple(_parsed(index, text, known) for index, text in enumerate(texts)), step
        feed = self._running.get(key)
        if feed is None:
            # Before the first tick the newest column may still be measured: it must come as a tick.
            now = int(self.wall() * 1000) - step if self.now is None else self.now
            feed = Feed(next(self._ids), key[0], step, self.limits, now // step)
            feed.check(self.storage)
            self._running[key] = feed
            self._listeners[key] = 0
        self._listeners[key] += 1
        return feed

    def close(self, feed: Feed) -> None:
        """One listener less."""
        key = feed.queries, feed.step
        self._listeners[key] -= 1
        if not self._listeners[key]:
            del self._running[key], self._listeners[key]

    def advance(self, now: int) -> None:
        """Bring every feed to the time now (ms)."""
        if self.now is not None and now <= self.now:
            return
        self.now = now
        shared = Selections(self.storage)
        for feed in self._running.values():
            feed.advance(now // feed.step, shared)


def _parsed(index: int, text: str, variables: Mapping[str, str]) -> Query:
    try:
        return parse(substitute(text, variables))
    except QueryError as error:
        raise FeedError(index, error) from error


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
