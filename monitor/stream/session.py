"""One browser: what it asked for, what it was sent, how much more it may be sent.  No socket inside.

Rules 4 and 5 of docs/protocol.md live here: a client that does not drain or acknowledge is skipped, and
brought up to date with one message when it can take it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from monitor.access import Permissions
from monitor.formats import live
from monitor.formats.live import Ack, Message, MessageError, Subscribe, Unsubscribe, Visible
from monitor.stream.backlog import Backlog
from monitor.stream.beat import Beat
from monitor.stream.cohort import Allowance, Cohort
from monitor.stream.credit import Credit, Sent
from monitor.stream.feed import FeedError
from monitor.stream.frames import Frame
from monitor.stream.limits import SessionLimits
from monitor.stream.request import RefusedError, asked, too_many
from monitor.stream.source import Delivery, Followed, PastError, Source, Stretch
from monitor.stream.weight import weight

BAD_MESSAGES = 2
"""So many messages in a row that are none of the protocol's end the session."""
STEADY = 10
"""Ticks in step after which a client that was slow counts as caught up."""
AHEAD = 2
"""Columns that a client may hold beyond a feed that has just begun again: the service has restarted within
the step.  More of them means that the clock was set back, and the client gets what there is."""
REQUESTS = 32
"""Requests answered in one step; the rest wait, and too many waiting end the session."""
WAITING = 2
"""Requests that wait may take this many times the longest message."""
NOTHING: Sequence[Frame] = ()
AWAITING = 1 << 62
"""The last column sent of a feed whose past is on the way: nothing is due before it is there."""


class Closing(NamedTuple):
    """Why the session must end: a WebSocket close code and its reason."""

    code: int
    reason: str


@dataclass(slots=True)
class Subscription:
    feed: Followed
    sent: int
    """Number of the last column sent."""
    board: str = ""
    """What a person calls it: the board's name, or `queries`; empty for a table."""


def nobody(_session: Session) -> None:
    """Is told when every answer comes within its question."""


class Session:
    """Messages in, frames out.  Every time is in seconds of one monotonic clock, passed in by the caller."""

    def __init__(
        self,
        feeds: Source,
        boards: Mapping[str, Sequence[str]],
        limits: SessionLimits,
        due: Callable[[Session], None] = nobody,
        backlog: Backlog | None = None,
    ) -> None:
        """`due` is told when something may be sent that came later than it was asked for."""
        self.feeds = feeds
        self.boards = boards
        self.limits = limits
        self.due = due
        self.backlog = backlog or Backlog(limits.backlog)
        self.id = secrets.token_hex(6)
        self.may: Permissions = frozenset()
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
        self.cohort: Cohort | None = None
        """Those it is served with, while it is in step with them; `place` is its own among them."""
        self.place = 0
        self._inbox: list[Message | MessageError] = []
        self._weight = 0
        self._answered = 0
        self._ready: list[Frame] = []
        self._asking = False
        self._over = False
        self._bad_messages = 0
        self._told_slow = False
        self._steady = 0

    def receive(self, text: str) -> bool:
        """Take a client's message, which the next `outgoing` answers; whether that may have something now."""
        try:
            message = live.decode(text)
        except MessageError as error:
            self.step_out()
            self._bad_messages += 1
            if self._bad_messages >= BAD_MESSAGES:
                self.closing = Closing(4000, "not a message of monitor.v1")
            self._enqueue(error)
            return True
        self._bad_messages = 0
        if isinstance(message, Ack):
            return self._acknowledge(message)
        self.step_out()
        if isinstance(message, Visible):
            self._show(message.visible)
        else:
            self._enqueue(message)
        return True

    def outgoing(self, now: float, drained: bool) -> list[Frame]:
        """What may be sent now: answers, then the columns due.  Nothing while the last is not drained."""
        if not drained:
            return []
        if self._inbox:
            self._answer_all(now)
        frames: list[Frame] = []
        if self.visible and not self.parked:
            for subscription in self.subscriptions.values():
                frames += self._due(subscription, now)
        if self._ready:
            frames, self._ready = self._ready + frames, []
        return frames

    def tick(self, now: float, drained: bool, beat: Beat) -> list[Frame]:
        """As `outgoing`, once a step; counts what is skipped, and never lets silence last."""
        self._answered = 0
        frames = self.outgoing(now, drained)
        self._pace(now)
        return beat.after(frames, self.parked) if drained else []

    def end(self) -> None:
        """Let go of every feed."""
        self.step_out()
        self._over = True
        for subscription in self.subscriptions.values():
            self.feeds.close(subscription.feed)
        self.subscriptions.clear()
        self._inbox.clear()
        self._ready.clear()

    def in_step(self) -> bool:
        """Whether it has everything, and wants nothing but what comes next."""
        if self.skipped or self.parked or not self.visible or self.closing or self._inbox or self._ready:
            return False
        newest = all(each.sent == each.feed.n for each in self.subscriptions.values())
        return newest and self.credit.left()

    def step_out(self) -> None:
        """Leave those it is in step with, if there are any."""
        if self.cohort is not None:
            self.cohort.leave(self)

    def settle(self, sent: Sequence[Sent], columns: Sequence[int]) -> None:
        """Note what it was sent with its cohort."""
        for each in sent:
            self.credit.spend(each)
        for subscription, column in zip(self.subscriptions.values(), columns, strict=True):
            subscription.sent = column

    def allowance(self, now: float) -> Allowance:
        """Until its credit may run out, or it may have to be parked."""
        waiting_since = self.credit.waiting_since()
        since = now if waiting_since is None else waiting_since
        return Allowance(*self.credit.rest(), since + self.limits.park_after)

    def _acknowledge(self, ack: Ack) -> bool:
        """Whether the client waited for this."""
        if self.cohort is not None:
            self.cohort.settle(self)
        waited = self.parked or not self.credit.left()
        self.credit.acknowledge(ack.feed, ack.n)
        if self.cohort is not None:
            self.cohort.renew(self)
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
        self._weight += weight(message)
        if len(self._inbox) >= self.limits.inbox or self._weight > WAITING * self.limits.message:
            self.closing = Closing(1008, "too many requests at once")
        else:
            self._inbox.append(message)

    def _answer_all(self, now: float) -> None:
        self._asking = True
        while self._inbox and self._answered < REQUESTS and self._room(self._inbox[0]):
            self._answered += 1
            self._answer(self._inbox.pop(0), now)
        self._asking = False
        if not self._inbox:
            self._weight = 0

    def _room(self, message: Message | MessageError) -> bool:
        """Whether it may be answered now: whoever asks for much gets it in several steps."""
        room = self.backlog.left() and sum(map(len, self._ready)) < self.limits.credit_bytes
        return room or isinstance(message, Unsubscribe)

    def _answer(self, message: Message | MessageError, now: float) -> None:
        if isinstance(message, MessageError):
            self._refuse(message.request, RefusedError("bad_message", str(message)))
            return
        try:
            if isinstance(message, Subscribe):
                wanted = asked(message, self.feeds, self.boards, self.limits, self.may)
                self.feeds.ask(wanted, partial(self._opened, message, now))
            else:
                assert isinstance(message, Unsubscribe)
                self._unsubscribe(message)
        except RefusedError as error:
            self._refuse(message.request if isinstance(message, Subscribe) else None, error)

    def _refuse(self, request: int | None, error: RefusedError) -> None:
        self._put(Frame(live.error(request, error.code, str(error), **error.place)))

    def _put(self, *frames: Frame) -> None:
        """Goes out next."""
        self._ready += frames
        if not self._asking:
            self.due(self)

    def _opened(self, message: Subscribe, now: float, found: Followed | FeedError) -> None:
        """Goes on with a request: its feed is known, maybe only after a tick that found it in step."""
        self.step_out()
        if self._over:
            if not isinstance(found, FeedError):
                self.feeds.close(found)
            return
        try:
            if isinstance(found, FeedError):
                place = {"position": found.error.position, "query": found.query}
                raise RefusedError("bad_query", str(found), **place)
            if message.until is None:
                self._follow(found, message, now)
            else:
                self._look_back(found, message, message.until // found.step, now)
        except RefusedError as error:
            self._refuse(message.request, error)

    def _follow(self, feed: Followed, message: Subscribe, now: float) -> None:
        """Count the feed once for this session however often it asks, and have its past brought."""
        if feed.id in self.subscriptions:
            self.feeds.close(feed)
        elif not self._room_for(feed):
            self.feeds.close(feed)
            raise too_many(self.limits)
        subscription = self.subscriptions.setdefault(feed.id, Subscription(feed, feed.n))
        subscription.board = "" if message.table is not None else message.board or "queries"
        held = feed.n - message.range // feed.step if message.after is None else message.after // feed.step
        ahead = held <= feed.n + AHEAD
        self._bring(subscription, held if ahead else feed.n, now, message.request)

    def _bring(self, subscription: Subscription, after: int, now: float, request: int | None = None) -> None:
        subscription.sent = AWAITING
        answer = partial(self._brought, subscription, after, now, request)
        self.feeds.bring(subscription.feed, Stretch(after, request), answer)

    def _look_back(self, feed: Followed, message: Subscribe, until: int, now: float) -> None:
        """Have a part of the past brought; the feed is let go of when that is here."""
        answer = partial(self._seen, feed, message.request, now)
        stretch = Stretch(until - message.range // feed.step, message.request, until)
        self.feeds.bring(feed, stretch, answer)

    def _seen(self, feed: Followed, request: int, now: float, found: Delivery | PastError) -> None:
        self.feeds.close(feed)
        if self._over:
            return
        if isinstance(found, PastError):
            self._refuse(request, RefusedError(found.code, str(found)))
            return
        past, *_ = found.frames
        self.credit.spend(Sent(feed.id, found.n, len(past), now))
        self._put(past)

    def _brought(
        self,
        subscription: Subscription,
        after: int,
        now: float,
        request: int | None,
        found: Delivery | PastError,
    ) -> None:
        feed = subscription.feed
        if self.subscriptions.get(feed.id) is not subscription:
            return
        if isinstance(found, PastError):
            self._lack(subscription, after, request, found)
            return
        subscription.sent = max(after, found.n)
        self.credit.spend(Sent(feed.id, found.n, sum(map(len, found.frames)), now))
        self._put(*found.frames)

    def _lack(self, subscription: Subscription, after: int, request: int | None, error: PastError) -> None:
        """Who asked is told that it cannot be; what was missed is asked for again with the next tick."""
        if request is None:
            subscription.sent = after
        else:
            del self.subscriptions[subscription.feed.id]
            self.feeds.close(subscription.feed)
            self._refuse(request, RefusedError(error.code, str(error)))

    def _room_for(self, feed: Followed) -> bool:
        running = [subscription.feed for subscription in self.subscriptions.values()]
        queries = sum(len(each.queries) for each in (*running, feed))
        return len(running) < self.limits.subscriptions and queries <= self.limits.queries

    def _unsubscribe(self, message: Unsubscribe) -> None:
        subscription = self.subscriptions.pop(message.feed, None)
        if subscription is None:
            raise RefusedError("unknown_feed", f"not subscribed to feed {message.feed}")
        self.feeds.close(subscription.feed)

    def _due(self, subscription: Subscription, now: float) -> Sequence[Frame]:
        """The columns this client has not been sent, if it has credit for them."""
        feed = subscription.feed
        if subscription.sent >= feed.n or not self.credit.left():
            return NOTHING
        if subscription.sent != feed.n - 1 or not feed.frames:
            if self.backlog.left():
                self._catch_up(subscription, now)
            return NOTHING
        subscription.sent = feed.n
        self.credit.spend(Sent(feed.id, feed.n, feed.size, now))
        return feed.frames

    def _catch_up(self, subscription: Subscription, now: float) -> None:
        """Have everything brought that was missed; a client that was slow is told, once."""
        self._asking = True
        if self.skipped and not self._told_slow:
            self._told_slow = True
            text = "This connection is slower than the stream; ticks are being merged."
            self._put(Frame(live.notice("slowed", text, skipped=self.skipped)))
        self._bring(subscription, subscription.sent, now)
        self._asking = False

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
        # A generator would take longer than all the rest of it.
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
            self._ready.append(Frame(live.notice("resumed", text, skipped=self.skipped)))
        self.skipped, self._told_slow = 0, False
