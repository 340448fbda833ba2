"""Feeds in a process that evaluates none: each is told of by the process that does, over a relay.

Messages come in order, so a mirror's newest column is always the one that the other end had when it wrote
what comes next: an answer is in step with its mirror when it arrives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import count

from monitor.formats import relay
from monitor.promql import QueryError
from monitor.stream.feed import PASTS, FeedError
from monitor.stream.frames import Frame
from monitor.stream.source import Asked, Brought, Delivery, Followed, Opened, PastError, Stretch
from monitor.stream.table import Gather

Send = Callable[[relay.Message], None]


class Mirror:
    """A feed that is followed here, as far as sessions look at it."""

    def __init__(self, opened: relay.Opened) -> None:
        self.id = opened.feed
        self.step = opened.step
        self.n = opened.n
        self.queries: Sequence[object] = range(opened.queries)
        self.frames: list[Frame] = []
        self.size = 0
        self.asked: list[Asked] = []
        """The ways in which it was asked for, each of which opened it once."""
        self.listeners = 0
        self.pasts: dict[Stretch, Delivery] = {}
        """Brought since the newest column came, for others who need the same."""
        self.awaited: defaultdict[Stretch, list[Brought]] = defaultdict(list)

    @property
    def key(self) -> Hashable:
        return self.id

    def go_on(self, n: int, size: int, frames: list[Frame]) -> None:
        self.n, self.size, self.frames = n, size, frames
        self.pasts.clear()

    def take(self, brought: relay.Brought) -> None:
        """Give the columns to all who wait for them."""
        stretch = Stretch(brought.after, brought.request, brought.until)
        found: Delivery | PastError
        if brought.code:
            found = PastError(brought.code, brought.text)
        else:
            found = Delivery(brought.n, list(frames_of(brought.parts)))
            if len(self.pasts) == PASTS:
                del self.pasts[next(iter(self.pasts))]
            self.pasts[stretch] = found
        for answer in self.awaited.pop(stretch, ()):
            answer(found)


class Mirrors:
    """The source of a worker's sessions; what it cannot answer from what it holds it asks of `send`."""

    def __init__(self, step: int, send: Send) -> None:
        self.step = step
        self.send = send
        self.tables: dict[str, Gather] = {}
        """Only the names count: a table's rows are gathered by the other end."""
        self._followed: dict[int, Mirror] = {}
        self._known: dict[Asked, Mirror] = {}
        self._awaited: dict[Asked, list[Opened]] = {}
        self._questions: dict[int, Asked] = {}
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._followed)

    def ask(self, asked: Asked, answer: Opened) -> None:
        known = self._known.get(asked)
        if known is not None:
            known.listeners += 1
            answer(known)
        elif asked in self._awaited:
            self._awaited[asked].append(answer)
        else:
            number = next(self._numbers)
            self._awaited[asked], self._questions[number] = [answer], asked
            self.send(relay.Open(number, *asked[:-1], may=sorted(asked.may)))

    def bring(self, feed: Followed, stretch: Stretch, answer: Brought) -> None:
        assert isinstance(feed, Mirror)
        if stretch in feed.pasts:
            answer(feed.pasts[stretch])
            return
        if stretch not in feed.awaited:
            self.send(relay.Past(feed.id, *stretch))
        feed.awaited[stretch].append(answer)

    def close(self, feed: Followed) -> None:
        assert isinstance(feed, Mirror)
        feed.listeners -= 1
        if feed.listeners:
            return
        for asked in feed.asked:
            del self._known[asked]
        del self._followed[feed.id]
        self.send(relay.Close(feed.id, len(feed.asked)))

    def turns(self, _now: int) -> Iterator[None]:
        """None: mirrors go on by `take`."""
        return iter(())

    def take(self, message: relay.Message) -> None:
        """What the other end says; messages that are not about feeds are none of its business."""
        if isinstance(message, relay.Ticked):
            self._tick(message)
        elif isinstance(message, relay.Opened):
            self._open(message)
        elif isinstance(message, relay.Refused):
            error = QueryError(message.message, message.position)
            for answer in self._waiting(message.ask):
                answer(FeedError(message.query, error))
        elif isinstance(message, relay.Brought) and message.feed in self._followed:
            self._followed[message.feed].take(message)

    def _waiting(self, number: int) -> list[Opened]:
        return self._awaited.pop(self._questions.pop(number))

    def _open(self, opened: relay.Opened) -> None:
        asked = self._questions[opened.ask]
        mirror = self._followed.get(opened.feed)
        if mirror is None:
            mirror = self._followed[opened.feed] = Mirror(opened)
        mirror.asked.append(asked)
        self._known[asked] = mirror
        waiting = self._waiting(opened.ask)
        # All of them listen before the first may leave again.
        mirror.listeners += len(waiting)
        for answer in waiting:
            answer(mirror)

    def _tick(self, ticked: relay.Ticked) -> None:
        frames = iter(list(frames_of(ticked.parts)))
        for feed, n, size, length in ticked.feeds:
            own = [next(frames) for _ in range(length)]
            if feed in self._followed:
                self._followed[feed].go_on(n, size, own)


def frames_of(parts: Sequence[bytes]) -> Iterator[Frame]:
    """Frames from their payloads and compressed frames, in turn; the latter are empty where not made."""
    for payload, deflated in zip(parts[::2], parts[1::2], strict=True):
        yield Frame(payload, deflated or None)
