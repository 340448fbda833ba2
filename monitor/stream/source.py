"""Where a session's feeds come from: this process (`Feeds`), or the one that evaluates them (`Mirrors`)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from monitor.access import Permissions
from monitor.formats.live import WHOLE, View
from monitor.stream.feed import FeedError
from monitor.stream.frames import Frame
from monitor.stream.table import Gather


class Asked(NamedTuple):
    """What a feed is asked for: queries with values for their variables, or else the name of a table.

    Those who may not do the same never share one, whatever they ask for.
    """

    queries: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    step: int = 0
    table: str | None = None
    view: View = WHOLE
    """How the table is wanted."""
    may: Permissions = frozenset()
    """All that the asker may."""


class Followed(Protocol):
    """What a session reads of a feed."""

    id: int
    step: int
    n: int
    """Number of the newest column."""
    frames: list[Frame]
    """What brings a client from column n - 1 to n; empty where several columns came at once."""
    size: int
    """Of those frames together, in bytes as the client counts them."""

    @property
    def key(self) -> Hashable: ...

    @property
    def queries(self) -> Sequence[object]: ...


class Stretch(NamedTuple):
    """Columns of a feed that are asked for: those behind number `after`."""

    after: int
    request: int | None = None
    """Of the client, where the answer is one to it."""
    until: int | None = None
    """Number of the last one; without it what was the newest not long before the answer comes."""


class Delivery(NamedTuple):
    """Columns of the past, the last of which is number n, and what belongs to them."""

    n: int
    frames: Sequence[Frame]


class PastError(Exception):
    """The past that was asked for cannot be had: an error code of the protocol and a text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


Opened: TypeAlias = Callable[[Followed | FeedError], None]
Brought: TypeAlias = Callable[[Delivery | PastError], None]


class Source(Protocol):
    """Answers are given by a call, within the question's own or later; later ones may come for nobody."""

    step: int
    tables: dict[str, Gather]

    def __len__(self) -> int: ...

    def ask(self, asked: Asked, answer: Opened) -> None:
        """The feed, which is the asker's to `close`, or why it cannot be."""

    def bring(self, feed: Followed, stretch: Stretch, answer: Brought) -> None:
        """The columns of a stretch."""

    def close(self, feed: Followed) -> None:
        """One listener less."""

    def turns(self, now: int, /) -> Iterator[None]:
        """Bring every feed to the time now (ms), and stop where others should have their turn."""
