"""A house whose sessions live in another process: mirrors, a branch, and the bytes between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from monitor.access import Role
from monitor.access.roles import GRANTED
from monitor.formats import relay
from monitor.promql import Limits
from monitor.stream.audience import Audience
from monitor.stream.branch import Branch
from monitor.stream.cohort import Carrier
from monitor.stream.feeds import Feeds
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Awake, Bounds
from monitor.stream.mirror import Mirrors
from monitor.stream.session import Session
from tests.clock import Clock
from tests.stream.house import START, House


class Wire:
    """One direction: messages wait as bytes until they are delivered."""

    def __init__(self) -> None:
        self.waiting = b""
        self.decoder = relay.Decoder()

    def send(self, message: relay.Message) -> None:
        self.waiting += relay.encode(message)

    def deliver(self, take: Callable[[relay.Message], None]) -> list[relay.Message]:
        data, self.waiting = self.waiting, b""
        messages = list(self.decoder.receive(data))
        for message in messages:
            take(message)
        return messages


class FarHouse(House):
    """`house.settle()` carries messages both ways until all is quiet; sessions that are due are in `due`."""

    def __init__(self, limits: SessionLimits | None = None) -> None:
        super().__init__(limits)
        self.due: list[Session] = []
        self.asked: list[relay.Message] = []
        self.replace_worker()

    def replace_worker(self) -> None:
        """As when it was killed: what was on its way is lost."""
        self.up, self.down = Wire(), Wire()
        self.branch = Branch(self.feeds, self.down.send)
        self.mirrors = Mirrors(1000, self.up.send)

    def restart(self) -> None:
        self.feeds = Feeds(self.head, 1000, Limits(), lambda: START + self.second, Clock())
        self.replace_worker()

    def advance(self, now: int) -> None:
        self.feeds.advance(now)
        self.branch.tick(now)

    def turns(self, second: int) -> Iterator[None]:
        now = self.store(second)
        yield from self.feeds.turns(now)
        self.branch.tick(now)

    def session(self) -> Session:
        session = Session(self.mirrors, self.boards, self.limits, self.due.append)
        session.may = GRANTED[Role.OPERATOR]
        return session

    def audience(
        self, awake: Awake, bounds: Bounds | None = None, carrier: Carrier | None = None
    ) -> Audience:
        audience = super().audience(awake, bounds, carrier)
        audience.feeds = self.mirrors
        return audience

    def deliver(self) -> bool:
        """Carry what waits; whether a tick was among it."""
        self.asked += self.up.deliver(self.branch.take)
        told = self.down.deliver(self.mirrors.take)
        return any(isinstance(message, relay.Ticked) and message.time for message in told)

    def settle(self) -> bool:
        ticked = False
        while self.up.waiting or self.down.waiting:
            ticked |= self.deliver()
        return ticked
