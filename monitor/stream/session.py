"""One browser: what it asked for, what it was sent, how much more it may be sent.  No socket inside.

Rules 4 and 5 of docs/protocol.md live here: a client that does not drain or acknowledge is skipped, and
brought up to date with one message when it can take it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitor.formats import live
from monitor.formats.live import Ack, Message, MessageError, Subscribe, Unsubscribe, Visible
from monitor.stream.credit import Credit, Sent
from monitor.stream.feed import Feed, FeedError
from monitor.stream.feeds import Feeds
from monitor.stream.frames import Frame
from monitor.stream.table import Table

BAD_MESSAGES = 2
"""So many messages in a row that are none of the protocol's end the session."""
STEADY = 10
"""Ticks in step after which a client that was slow counts as caught up."""
AHEAD = 2
"""Columns that a client may hold beyond a feed that has just begun again: the service has restarted within
the step.  More of them means that the clock was set back, and the client gets what there is."""
REQUESTS = 32
"""Requests answered in one step; the rest wait, and too many waiting end the session."""
PARKED_BEATS = 10
"""A parked client gets one beat in so many steps: what nobody reads must not fill its pipe."""
CLOCK_BEATS = 60
"""In so many steps there is one beat, ticks or not: it tells the time, and clocks drift."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one session may ask for and hold; times in seconds, sizes in bytes."""

    message: int = 64 * 1024
    subscriptions: int = 32
    queries: int = 256
    range: int = 900_000
    """Milliseconds of the past."""
    inbox: int = 64
    ack_bytes: int = 32 * 1024
    ack_after: float = 5.0
    credit: int = 12
    credit_bytes: int = 64 * 1024
    park_after: float = 30.0


class Closing(NamedTuple):
    """Why the session must end: a WebSocket close code and its reason."""

    code: int
    reason: str


@dataclass(slots=True)
class Subscription:
    feed: Feed | Table
    sent: int
    """Number of the last column sent."""
    board: str = ""
    """What a person calls it: the board's name, or `queries`; empty for a table."""


class RefusedError(Exception):
    """A request that cannot be granted: an error code of the protocol and a text."""

    def __init__(self, code: str, message: str, **place: int | None) -> None:
        super().__init__(message)
        self.code = code
        self.place = place


class Session:
    """Messages in, frames out.  Every time is in seconds of one monotonic clock, passed in by the caller."""

    def __init__(self, feeds: Feeds, boards: Mapping[str, Sequence[str]], limits: SessionLimits) -> None:
        self.feeds = feeds
        self.boards = boards
        self.limits = limits
        self.id = secrets.token_hex(6)
        self.since = 0
        """When it began, Unix time in ms."""
        self.subscriptions: dict[int, Subscription] = {}
        self.credit = Credit(limits.credit, limits.credit_bytes)
        self.visible = True
        self.parked = False
        self.skipped = 0
        """Ticks merged for this client since it last was in step."""
        self.skipped_in_all = 0
        self.closing: Closing | None = None
        self.lag: float | None = None
        """Seconds from the last acknowledged sample to its paint, as the client says; until it is counted."""
        self.last_lag: float | None = None
        self._inbox: list[Message | MessageError] = []
        self._answered = 0
        self._notices: list[Frame] = []
        self._bad_messages = 0
        self._told_slow = False
        self._steady = 0
        self._since_beat = 0

    def receive(self, text: str) -> bool:
        """Take a client's message, which the next `outgoing` answers; whether that may have something now."""
        try:
            message = live.decode(text)
        except MessageError as error:
            self._bad_messages += 1
            if self._bad_messages >= BAD_MESSAGES:
                self.closing = Closing(4000, "not a message of monitor.v1")
            self._enqueue(error)
            return True
        self._bad_messages = 0
        if isinstance(message, Ack):
            return self._acknowledge(message)
        if isinstance(message, Visible):
            self._show(message.visible)
        else:
            self._enqueue(message)
        return True

    def outgoing(self, now: float, drained: bool) -> list[Frame]:
        """What may be sent now: answers, then the columns due.  Nothing while the last is not drained."""
        if not drained:
            return []
        frames, self._notices = self._notices, []
        while self._inbox and self._answered < REQUESTS:
            self._answered += 1
            frames += self._answer(self._inbox.pop(0), now)
        if self.visible and not self.parked:
            for subscription in self.subscriptions.values():
                frames += self._due(subscription, now)
        return frames

    def tick(self, now: float, drained: bool, beat: Frame) -> list[Frame]:
        """As `outgoing`, once a step; counts what is skipped, and never lets silence last."""
        self._answered = 0
        frames = self.outgoing(now, drained)
        self._pace(now)
        if not drained:
            return []
        self._since_beat += 1
        if self._since_beat < (CLOCK_BEATS if frames else PARKED_BEATS if self.parked else 1):
            return frames
        self._since_beat = 0
        return [*frames, beat]

    def end(self) -> None:
        """Let go of every feed."""
        for subscription in self.subscriptions.values():
            self.feeds.close(subscription.feed)
        self.subscriptions.clear()
        self._inbox.clear()

    def _acknowledge(self, ack: Ack) -> bool:
        """Whether the client waited for this."""
        waited = self.parked or not self.credit.left()
        self.credit.acknowledge(ack.feed, ack.n)
        self.parked = False
        self.lag = None if ack.lag is None else ack.lag / 1000
        self.last_lag = self.last_lag if self.lag is None else self.lag
        return waited

    def _show(self, visible: bool) -> None:
        """A page that comes back into sight is alive: what it was sent before counts as read."""
        self.visible, self.parked = visible, False
        if visible:
            self.credit.clear()

    def _enqueue(self, message: Message | MessageError) -> None:
        if len(self._inbox) >= self.limits.inbox:
            self.closing = Closing(1008, "too many requests at once")
        else:
            self._inbox.append(message)

    def _answer(self, message: Message | MessageError, now: float) -> list[Frame]:
        if isinstance(message, MessageError):
            return [Frame(live.error(message.request, "bad_message", str(message)))]
        request = message.request if isinstance(message, Subscribe) else None
        try:
            if isinstance(message, Subscribe):
                return [self._subscribe(message, now)]
            assert isinstance(message, Unsubscribe)
            self._unsubscribe(message)
        except RefusedError as error:
            return [Frame(live.error(request, error.code, str(error), **error.place))]
        return []

    def _subscribe(self, message: Subscribe, now: float) -> Frame:
        try:
            feed = self._open(message)
        except FeedError as error:
            place = {"position": error.error.position, "query": error.query}
            raise RefusedError("bad_query", str(error), **place) from error
        held = feed.n - message.range // feed.step if message.after is None else message.after // feed.step
        frame = feed.past(min(held, feed.n), self.feeds.storage, message.request)
        ahead = feed.n < held <= feed.n + AHEAD
        board = "" if message.table is not None else message.board or "queries"
        self.subscriptions[feed.id] = Subscription(feed, held if ahead else feed.n, board)
        self.credit.spend(Sent(feed.id, feed.n, len(frame), now))
        return frame

    def _open(self, message: Subscribe) -> Feed | Table:
        """The feed asked for, counted once for this session however often it asks."""
        feed = self._feed(message) if message.table is None else self._table(message.table)
        if feed.id in self.subscriptions:
            self.feeds.close(feed)
        elif not self._room_for(feed):
            self.feeds.close(feed)
            raise self._too_many()
        return feed

    def _feed(self, message: Subscribe) -> Feed:
        step = self._step(message)
        queries = message.queries if message.board is None else self._board(message.board)
        if len(queries) > self.limits.queries:
            raise self._too_many()
        return self.feeds.open(queries, message.variables, step)

    def _table(self, name: str) -> Table:
        if name not in self.feeds.tables:
            known = ", ".join(sorted(self.feeds.tables)) or "none"
            raise RefusedError("unknown_table", f"no table named {name!r}; there are: {known}")
        return self.feeds.open_table(name)

    def _room_for(self, feed: Feed | Table) -> bool:
        running = [subscription.feed for subscription in self.subscriptions.values()]
        queries = sum(len(each.queries) for each in (*running, feed))
        return len(running) < self.limits.subscriptions and queries <= self.limits.queries

    def _too_many(self) -> RefusedError:
        most = f"{self.limits.subscriptions} subscriptions and {self.limits.queries} queries"
        return RefusedError("too_many", f"at most {most} at once")

    def _step(self, message: Subscribe) -> int:
        step = self.feeds.step if message.step is None else message.step
        if step < self.feeds.step or step % self.feeds.step:
            raise RefusedError(
                "bad_message", f"step: expected a multiple of {self.feeds.step} ms, found {step}"
            )
        if message.range > self.limits.range:
            raise RefusedError("too_large", f"range: at most {self.limits.range} ms, found {message.range}")
        return step

    def _board(self, name: str) -> Sequence[str]:
        if name not in self.boards:
            known = ", ".join(sorted(self.boards)) or "none"
            raise RefusedError("unknown_board", f"no board named {name!r}; there are: {known}")
        return self.boards[name]

    def _unsubscribe(self, message: Unsubscribe) -> None:
        subscription = self.subscriptions.pop(message.feed, None)
        if subscription is None:
            raise RefusedError("unknown_feed", f"not subscribed to feed {message.feed}")
        self.feeds.close(subscription.feed)

    def _due(self, subscription: Subscription, now: float) -> list[Frame]:
        """The columns this client has not been sent, if it has credit for them."""
        feed = subscription.feed
        if subscription.sent >= feed.n or not self.credit.left():
            return []
        if subscription.sent == feed.n - 1 and feed.frames:
            frames, size = feed.frames, feed.size
        else:
            past = feed.past(subscription.sent, self.feeds.storage)
            frames, size = [*self._slowed(), past], len(past)
        subscription.sent = feed.n
        self.credit.spend(Sent(feed.id, feed.n, size, now))
        return frames

    def _slowed(self) -> list[Frame]:
        """What a client is told, once, when it is caught up after ticks were skipped."""
        if not self.skipped or self._told_slow:
            return []
        self._told_slow = True
        text = "This connection is slower than the stream; ticks are being merged."
        return [Frame(live.notice("slowed", text, skipped=self.skipped))]

    def _pace(self, now: float) -> None:
        """Once a tick: is the client in step, slow, or to be parked?"""
        waiting_since = self.credit.waiting_since()
        if waiting_since is not None and now - waiting_since > self.limits.park_after:
            self.parked = True
        if not self.visible or self.parked:
            return
        if self._behind():
            self.skipped += 1
            self.skipped_in_all += 1
            self._steady = 0
        elif self.skipped:
            self._recover()

    def _behind(self) -> bool:
        # Runs for each client and tick, and a generator would take longer than all the rest of it.
        for subscription in self.subscriptions.values():  # noqa: SIM110
            if subscription.sent < subscription.feed.n:
                return True
        return False

    def _recover(self) -> None:
        """One more tick in step; after enough of them the client is told that it keeps up."""
        self._steady += 1
        if self._steady < STEADY:
            return
        if self._told_slow:
            text = "This connection keeps up with the stream again."
            self._notices.append(Frame(live.notice("resumed", text, skipped=self.skipped)))
        self.skipped, self._told_slow = 0, False
