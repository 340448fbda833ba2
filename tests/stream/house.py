"""A small house without a socket: a head, feeds, and a host whose load is its time in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from monitor.access import Role
from monitor.access.credential import anonymous
from monitor.access.roles import GRANTED
from monitor.model import Block, Kind, Layout, Metric, Scrape
from monitor.promql import Limits
from monitor.storage.head import Head
from monitor.stream.audience import Audience, Greeting
from monitor.stream.cohort import Carrier
from monitor.stream.doors import Doors
from monitor.stream.feeds import Feeds
from monitor.stream.frames import Frame
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Awake, Bounds, Facts
from monitor.stream.pulse import Pulse
from monitor.stream.session import Session
from monitor.telemetry import Telemetry
from tests.clock import Clock

LOAD = Metric("load", Kind.GAUGE, "The time in seconds.")
BYTES = Metric("bytes", Kind.GAUGE, "By device.")
TARGET = (("instance", "here"), ("job", "node"))
START = 1_700_000_000
GREETING = Greeting(
    {"name": "monitor", "version": "0", "instance": "here"}, "e", {"interval": 1}, {"credit": 12}
)


class House:
    """`house.tick(5)` stores the scrapes of seconds up to START + 5 and brings every feed there."""

    def __init__(self, limits: SessionLimits | None = None) -> None:
        self.head = Head(900_000)
        # A tick is one turn, however long this machine takes for it; a test that wants more sets the clock.
        self.feeds = Feeds(self.head, 1000, Limits(), lambda: START, Clock())
        self.limits = limits or SessionLimits()
        self.boards = {"small": ("load", "bytes")}
        self.devices: tuple[str, ...] = ("a",)
        self.layouts: dict[tuple[str, ...], Layout] = {}
        self.second = 0

    def layout(self) -> Layout:
        if self.devices not in self.layouts:
            entries = [LOAD.at(), *(BYTES.at(device=device) for device in self.devices)]
            self.layouts[self.devices] = Layout(entries)
        return self.layouts[self.devices]

    def scrape(self, second: int) -> Scrape:
        values = [float(second), *(1.0 + index for index in range(len(self.devices)))]
        return Scrape((START + second) * 1000, TARGET, (Block(self.layout(), values),))

    def store(self, second: int) -> int:
        """The scrape of one second goes to the head; its time in ms."""
        self.second = second
        self.head.append(self.scrape(second))
        return (START + second) * 1000

    def tick(self, until: int) -> None:
        for second in range(self.second + 1, until + 1):
            for _ in self.turns(second):
                pass

    def turns(self, second: int) -> Iterator[None]:
        """One tick, with what others do between its turns."""
        yield from self.feeds.turns(self.store(second))

    @property
    def storage(self) -> Head:
        """All that was ever stored, or is kept."""
        return self.head

    def restart(self) -> None:
        self.feeds = Feeds(self.head, 1000, Limits(), lambda: START + self.second, Clock())

    def settle(self) -> bool:
        """Nothing is under way in this house."""
        return False

    def session(self) -> Session:
        session = Session(self.feeds, self.boards, self.limits)
        session.may = GRANTED[Role.OPERATOR]
        return session

    def audience(
        self, awake: Awake, bounds: Bounds | None = None, carrier: Carrier | None = None
    ) -> Audience:
        return Audience(
            self.feeds,
            self.boards,
            GREETING,
            self.limits,
            bounds or Bounds(),
            Doors(1000, 1000),
            Telemetry("0"),
            awake,
            lambda: float(START + self.second),
            carrier or Lines(),
        )


class Line:
    """A connection that keeps what it is sent; `open` says whether it drains."""

    address = "here"
    credential = anonymous(Role.OPERATOR)
    agent = "line/1"

    deflate = False

    pulse: Pulse

    def __init__(self) -> None:
        self.socket: Line | None = self
        self.open = True
        self.got: list[dict[str, Any]] = []
        self.end: tuple[int, str] | str | None = None
        self.pings = 0
        self.known = Facts(pinged_at=0.0)

    def stall(self) -> None:
        self.open = False
        self.pulse.disturbed()

    def undisturbed(self) -> bool:
        return self.open

    def go_on(self, data: bytes, taken: int) -> None:
        raise AssertionError("a line takes all or nothing")

    def send(self, frames: Sequence[Frame]) -> int:
        self.got += read(frames)
        return sum(len(frame) for frame in frames)

    def drained(self) -> bool:
        return self.open

    def facts(self, now: float) -> Facts:
        return self.known

    def ping(self) -> None:
        self.pings += 1

    def close(self, code: int, reason: str) -> None:
        self.end = code, reason

    def abort(self) -> None:
        self.end = self.end or "cut"


class Lines:
    """Carries to many lines at once; every sweep has to ask each of them."""

    def broadcast(self, sockets: Sequence[Line | None], data: bytes) -> list[tuple[int, int]]:
        for line in sockets:
            if line is not None:
                line.got += map(json.loads, payloads(data))
        return []

    def waiting(self, sockets: Sequence[object]) -> list[int]:
        return [-1 for _ in sockets]


def payloads(data: bytes) -> Iterator[bytes]:
    """Of plain frames one after another (RFC 6455 section 5.2)."""
    while data:
        size, begin = data[1], 2
        if size == 126:
            size, begin = int.from_bytes(data[2:4]), 4
        yield data[begin : begin + size]
        data = data[begin + size :]


def read(frames: Sequence[Frame]) -> list[dict[str, Any]]:
    return [json.loads(frame.payload) for frame in frames]


def subscribe(request: int = 1, **fields: Any) -> str:
    asked = fields if fields.keys() & {"board", "queries", "table"} else {"queries": ["load"], **fields}
    return json.dumps({"type": "subscribe", "request": request, **asked})


def come(audience: Audience) -> tuple[Session, Line]:
    """Somebody who watches, and his connection."""
    line = Line()
    return audience.join(line), line
