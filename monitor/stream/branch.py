"""What one worker follows, at the end that evaluates: its questions answered, its ticks sent in one piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from monitor.access import Permission
from monitor.formats import relay
from monitor.formats.live import View
from monitor.stream.feed import Feed, FeedError
from monitor.stream.feeds import Feeds
from monitor.stream.frames import Frame
from monitor.stream.mirror import Send
from monitor.stream.source import Asked, Delivery, PastError, Stretch
from monitor.stream.table import Table

EARLY = 0
"""The time of a message about a feed that is ahead of the tick."""


@dataclass(slots=True)
class Lent:
    feed: Feed | Table
    told: int
    """Number of the newest column that the worker knows of."""
    times: int = 0
    """How often it was opened by the worker and not closed."""


class Branch:
    """Holds every feed that its worker follows, once, until the worker closes it or ends."""

    def __init__(self, feeds: Feeds, send: Send) -> None:
        self.feeds = feeds
        self.send = send
        self.deflate = False
        """Whether frames are compressed here, for all workers, because somebody can take them so."""
        self._lent: dict[int, Lent] = {}

    def __len__(self) -> int:
        return len(self._lent)

    def take(self, message: relay.Message) -> None:
        """A question of the worker's; messages that are not about feeds are none of its business."""
        if isinstance(message, relay.Open):
            self._open(message)
        elif isinstance(message, relay.Past):
            self._bring(message)
        elif isinstance(message, relay.Close):
            self._close(message)

    def tick(self, now: int) -> None:
        """Tell of every feed that went on and was not told of yet."""
        self._tell(now, self._lent.values())

    def end(self) -> None:
        """Let go of every feed."""
        for lent in self._lent.values():
            self.feeds.close(lent.feed)
        self._lent.clear()

    def _open(self, asked: relay.Open) -> None:
        variables = tuple((name, value) for name, value in asked.variables)
        may = frozenset(map(Permission, asked.may))
        try:
            view = View(*asked.view)
            feed = self.feeds.find(Asked(tuple(asked.queries), variables, asked.step, asked.table, view, may))
        except FeedError as error:
            self.send(relay.Refused(asked.ask, error.query, str(error), error.error.position))
            return
        if feed.id in self._lent:
            self.feeds.close(feed)
        lent = self._lent.setdefault(feed.id, Lent(feed, feed.n))
        lent.times += 1
        self.send(relay.Opened(asked.ask, feed.id, feed.n, feed.step, len(feed.queries)))

    def _bring(self, asked: relay.Past) -> None:
        lent = self._lent[asked.feed]
        feed = lent.feed
        if lent.told < feed.n:
            # Asked while the others are still evaluated: the answer must be in step with the mirror.
            self._tell(EARLY, (lent,))
        stretch = Stretch(asked.after, asked.request, asked.until)
        self.feeds.bring(feed, stretch, partial(self._brought, asked))

    def _brought(self, asked: relay.Past, found: Delivery | PastError) -> None:
        if isinstance(found, PastError):
            answered = relay.Brought(asked.feed, 0, asked.after, asked.request, (), asked.until)
            self.send(answered._replace(code=found.code, text=str(found)))
            return
        # Left to the worker to compress: it costs most when many come back at once, and they are spread.
        parts = [part for frame in found.frames for part in (frame.payload, frame.deflated or b"")]
        self.send(relay.Brought(asked.feed, found.n, asked.after, asked.request, parts, asked.until))

    def _close(self, closed: relay.Close) -> None:
        lent = self._lent[closed.feed]
        lent.times -= closed.times
        if not lent.times:
            self.feeds.close(lent.feed)
            del self._lent[closed.feed]

    def _tell(self, now: int, lent: Iterable[Lent]) -> None:
        feeds, parts = [], list[bytes]()
        for each in lent:
            feed = each.feed
            if each.told < feed.n:
                feeds.append((feed.id, feed.n, feed.size, len(feed.frames)))
                parts += self._parts(feed.frames)
                each.told = feed.n
        self.send(relay.Ticked(now, feeds, parts))

    def _parts(self, frames: Sequence[Frame]) -> Iterator[bytes]:
        for frame in frames:
            if self.deflate:
                frame.wire(deflate=True)
            yield frame.payload
            yield frame.deflated or b""
