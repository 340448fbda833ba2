"""A tick of many feeds lets others have their turn: what they find then is whole, and they miss nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.formats import live
from monitor.stream.beat import Beat
from monitor.stream.feeds import TURN
from monitor.stream.frames import Frame
from monitor.stream.liveness import Awake
from monitor.stream.session import Session
from tests.clock import Clock
from tests.stream.far import FarHouse
from tests.stream.house import START, House, read, subscribe

FEEDS = 4
BEAT = Beat(Frame(live.beat(1)), 1)

Act = tuple[str, int, int]
"""What is done, by which viewer, to which feed."""
acts = st.tuples(st.sampled_from(["subscribe", "leave", "flush"]), st.integers(0, 2), st.integers(1, FEEDS))
turns = st.lists(acts, max_size=3)
ticks = st.lists(st.lists(turns, min_size=FEEDS, max_size=FEEDS), min_size=1, max_size=5)


def busy(house: House) -> House:
    """Every feed takes long, so that others have a turn after each."""
    house.feeds.clock = count(0.0, 2 * TURN).__next__
    house.tick(5)
    return house


class Viewer:
    """Follows `load * factor` for some factors, and believes nothing but the next column."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.asked: set[int] = set()
        self.feeds: dict[int, int] = {}
        """Factor by feed."""
        self.last: dict[int, int] = {}
        """Second by feed."""

    def act(self, name: str, factor: int) -> None:
        if name == "subscribe" and factor not in self.asked:
            self.asked.add(factor)
            self.session.receive(subscribe(factor, queries=[f"load * {factor}"], range=2000))
        elif name == "leave":
            for feed in [feed for feed, known in self.feeds.items() if known == factor]:
                self.session.receive(json.dumps({"type": "unsubscribe", "feed": feed}))
                self.asked.discard(self.feeds.pop(feed))
        self.take(self.session.outgoing(0.0, drained=True))

    def take(self, frames: list[Frame]) -> None:
        for message in read(frames):
            feed = int(message.get("feed", 0))
            if message["type"] == "subscribed":
                self.feeds[feed] = message["request"]
                self.last[feed] = message["columns"]["t"][0] // 1000 - START - 1
            if message["type"] in ("subscribed", "columns"):
                assert message["columns"]["t"][-1] // 1000 == message["n"]
                for t, (value,) in zip(*self.columns(message), strict=True):
                    self.hold(feed, t, value)
            elif message["type"] == "tick":
                self.hold(feed, message["t"], *message["v"])

    def columns(self, message: dict[str, Any]) -> tuple[list[int], list[tuple[float, ...]]]:
        return message["columns"]["t"], list(zip(*message["columns"]["v"], strict=True))

    def hold(self, feed: int, t: int, value: float) -> None:
        self.last[feed] += 1
        assert t == (START + self.last[feed]) * 1000, "a column is lost, twice there, or out of order"
        assert value == self.feeds[feed] * self.last[feed]
        self.session.receive(json.dumps({"type": "ack", "feed": feed, "n": t // 1000}))


@pytest.mark.parametrize("kind", [House, FarHouse])
@settings(max_examples=150, deadline=None)
@given(history=ticks, settles=st.lists(st.booleans(), min_size=1))
def test_whoever_comes_or_goes_meanwhile_gets_each_column_once(
    kind: Callable[[], House], history: list[list[list[Act]]], settles: list[bool]
) -> None:
    house = busy(kind())
    viewers = [Viewer(house.session()) for _ in range(3)]
    steady = Viewer(house.session())
    for factor in range(1, FEEDS + 1):
        steady.act("subscribe", factor)
    moment = count()
    for tick in history:
        meanwhile = iter(tick)
        for _ in house.turns(house.second + 1):
            for name, place, factor in next(meanwhile, []):
                viewers[place].act(name, factor)
            if settles[next(moment) % len(settles)]:
                house.settle()
        house.settle()
        for viewer in (*viewers, steady):
            viewer.take(viewer.session.tick(0.0, True, BEAT))
            house.settle()
            viewer.take(viewer.session.outgoing(0.0, drained=True))
            assert {viewer.last[feed] for feed in viewer.feeds} <= {house.second}
            assert len(viewer.feeds) == len(viewer.asked)
    assert len(steady.feeds) == FEEDS


def test_a_tick_that_is_short_is_one_turn() -> None:
    house = House()
    house.feeds.clock = Clock()
    for factor in range(1, FEEDS + 1):
        house.feeds.open([f"load * {factor}"], {}, 1000)
    assert list(house.turns(1)) == []
    house.feeds.clock = count(0.0, 2 * TURN).__next__
    assert len(list(house.turns(2))) == FEEDS


def test_what_nobody_follows_any_more_is_not_evaluated() -> None:
    house = busy(House())
    first, second = (house.feeds.open([f"load * {factor}"], {}, 1000) for factor in (1, 2))
    for turn, _ in enumerate(house.turns(6)):
        if not turn:
            house.feeds.close(second)
    assert (first.n, second.n) == (START + 6, START + 5)


def test_the_event_loop_has_its_turn_while_everybody_waits_for_a_tick() -> None:
    house = busy(House())
    audience = house.audience(Awake(Clock(), interval=1.0))
    feeds = [house.feeds.open([f"load * {factor}"], {}, 1000) for factor in range(1, FEEDS + 1)]
    seen: list[int] = []

    async def watch() -> None:
        tick = asyncio.create_task(audience.tick(house.store(6)))
        while not tick.done():
            seen.append(sum(feed.n == START + 6 for feed in feeds))
            await asyncio.sleep(0)

    asyncio.run(watch())
    assert seen == list(range(FEEDS + 1))
