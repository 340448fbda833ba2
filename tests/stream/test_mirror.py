"""Feeds that another process evaluates: asked once, told once, and never out of step."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from monitor.access import Permission
from monitor.formats import live, relay
from monitor.stream.beat import Beat
from monitor.stream.frames import Frame
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Awake
from monitor.stream.session import Session
from monitor.stream.table import NEEDS, Rows
from tests.clock import Clock
from tests.stream.far import FarHouse
from tests.stream.house import START, come, read, subscribe
from tests.stream.test_union import Browser, Histories

BEAT = Beat(Frame(live.beat(1)), 1)


@pytest.fixture(autouse=True)
def everybody_may_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NEEDS, "seconds", Permission.VIEW)


@pytest.fixture
def house() -> FarHouse:
    house = FarHouse()
    house.tick(10)
    house.settle()
    house.asked.clear()
    return house


def ask(house: FarHouse, session: Session, *texts: str) -> list[dict[str, Any]]:
    """What a session sends when the answers to its requests are there."""
    for text in texts:
        session.receive(text)
    found = read(session.outgoing(0.0, drained=True))
    house.settle()
    return found + read(session.outgoing(0.0, drained=True))


def tick(house: FarHouse, session: Session, second: int) -> list[dict[str, Any]]:
    house.tick(second)
    house.settle()
    return read(session.tick(float(second), True, BEAT))


def kinds(house: FarHouse) -> list[str]:
    return [type(message).__name__ for message in house.asked]


def test_a_subscription_is_answered_when_the_other_end_has_answered(house: FarHouse) -> None:
    session = house.session()
    session.receive(subscribe(request=7, range=3000))
    assert session.outgoing(0.0, drained=True) == []
    house.settle()
    assert house.due == [session]
    (answer,) = read(session.outgoing(0.0, drained=True))
    assert (answer["type"], answer["request"], answer["n"]) == ("subscribed", 7, START + 10)
    assert answer["columns"]["v"] == [[8, 9, 10]]
    assert [message["v"] for message in tick(house, session, 11)] == [[11]]


def test_a_feed_is_asked_for_once_whoever_follows_it(house: FarHouse) -> None:
    sessions = [house.session() for _ in range(5)]
    for session in sessions:
        session.receive(subscribe(range=3000))
        session.outgoing(0.0, drained=True)
    house.settle()
    assert house.due == sessions
    assert kinds(house) == ["Open", "Past"]
    late = house.session()
    late.receive(subscribe(range=3000))
    assert read(late.outgoing(0.0, drained=True))[0]["n"] == START + 10
    assert kinds(house) == ["Open", "Past"]
    assert len(house.feeds) == len(house.mirrors) == 1


@pytest.mark.parametrize("asked", [["bytes"], [" load"], ["nonsense("]])
def test_an_answer_may_come_to_one_who_is_in_step_again(house: FarHouse, asked: list[str]) -> None:
    """Found by tests/chaos with a worker, seed 4001: the tick was between the question and the answer."""
    audience = house.audience(Awake(Clock(), interval=1.0))
    people = [come(audience) for _ in range(2)]
    for session, _ in people:
        audience.receive(session, subscribe())
    house.settle()
    for second in (11, 12):
        if second == 12:
            audience.receive(people[0][0], subscribe(request=2, queries=asked))
        house.tick(second)
        house.down.deliver(house.mirrors.take)
        asyncio.run(audience.tick(0))
    assert not audience.apart
    house.settle()
    house.tick(13)
    house.settle()
    asyncio.run(audience.tick(0))
    for _, line in people:
        ticks = [message["v"] for message in line.got if message["type"] == "tick" and message["feed"] == 1]
        assert ticks == [[11], [12], [13]]
    (answer,) = [message for message in people[0][1].got if message.get("request") == 2]
    assert answer["type"] == ("error" if asked == ["nonsense("] else "subscribed")


def test_the_last_to_leave_stops_the_feed_at_the_other_end(house: FarHouse) -> None:
    sessions = [house.session() for _ in range(2)]
    for session in sessions:
        ask(house, session, subscribe())
    sessions[0].end()
    house.settle()
    assert len(house.feeds) == 1
    sessions[1].end()
    house.settle()
    assert (len(house.feeds), len(house.mirrors), len(house.branch)) == (0, 0, 0)


def test_one_who_leaves_before_the_answer_leaves_nothing_behind(house: FarHouse) -> None:
    session = house.session()
    session.receive(subscribe())
    session.receive(subscribe(queries=["rat(load[5s])"]))
    session.outgoing(0.0, drained=True)
    session.end()
    house.settle()
    assert (len(house.feeds), len(house.mirrors), house.due) == (0, 0, [])


def test_a_feed_that_is_closed_while_it_is_asked_for_again_goes_on(house: FarHouse) -> None:
    first, second = house.session(), house.session()
    ask(house, first, subscribe(queries=["load"]))
    second.receive(subscribe(queries=["load "]))
    second.outgoing(0.0, drained=True)
    first.end()
    house.settle()
    assert [message["type"] for message in read(second.outgoing(0.0, drained=True))] == ["subscribed"]
    assert [message["v"] for message in tick(house, second, 11)] == [[11]]
    second.end()
    house.settle()
    assert len(house.feeds) == 0


def test_two_texts_that_mean_the_same_are_one_feed(house: FarHouse) -> None:
    session = house.session()
    first, second = ask(house, session, subscribe(queries=["load"]), subscribe(2, queries=["load "]))
    assert first["feed"] == second["feed"]
    assert house.asked[0] != house.asked[1]
    session.end()
    house.settle()
    assert (len(house.feeds), len(house.branch)) == (0, 0)


def test_what_cannot_be_is_refused_by_place(house: FarHouse) -> None:
    (answer,) = ask(house, house.session(), subscribe(queries=["load", "sum(rat(load[5s]))"]))
    assert (answer["code"], answer["query"], answer["position"]) == ("bad_query", 1, 4)


def test_half_a_character_is_refused_and_harms_nobody(house: FarHouse) -> None:
    (answer,) = ask(house, house.session(), subscribe(queries=["load", "load{a='\ud800'}"]))
    assert (answer["code"], answer["query"], answer["position"]) == ("bad_query", 1, 8)


def test_the_number_of_queries_is_bounded_here_as_there(house: FarHouse) -> None:
    house.limits = SessionLimits(subscriptions=1)
    answers = ask(house, house.session(), subscribe(queries=["load"]), subscribe(2, queries=["bytes"]))
    assert sorted(answer["type"] for answer in answers) == ["error", "subscribed"]
    assert len(house.feeds) == 1


def test_a_table_is_followed_like_a_feed(house: FarHouse) -> None:
    house.feeds.tables["seconds"] = house.mirrors.tables["seconds"] = lambda _may, _view: Rows(
        ("second",), [(house.second,)], 1
    )
    session = house.session()
    (table,) = ask(house, session, subscribe(table="seconds"))
    assert (table["type"], table["rows"]) == ("table", [[10]])
    assert tick(house, session, 11)[0]["rows"] == [[11]]


def test_a_frame_is_compressed_where_it_is_made_once_somebody_can_take_it(house: FarHouse) -> None:
    house.devices = tuple("abcdefghijklmnopqrstuvwxyz" * 3)[:26]
    session = house.session()
    ask(house, session, subscribe(queries=["bytes * 1.23456789"]))
    frames = []
    for deflate in (False, True):
        house.branch.deflate = deflate
        house.tick(house.second + 1)
        house.settle()
        frames.append(session.tick(0.0, True, BEAT)[-1])
    assert [frame.deflated is not None for frame in frames] == [False, True]
    assert frames[1].deflated == Frame(frames[1].payload).wire(deflate=True)


def test_nothing_is_sent_of_feeds_that_stand_still(house: FarHouse) -> None:
    session = house.session()
    ask(house, session, subscribe(queries=["load"], step=5000))
    told = []
    for second in range(11, 16):
        house.tick(second)
        (ticked,) = house.down.deliver(house.mirrors.take)
        assert isinstance(ticked, relay.Ticked)
        told.append(len(ticked.feeds))
    assert told == [0, 0, 0, 0, 1]


class FarHistories(Histories):
    """The promise of rule 2 again, over a relay that delays, and a worker that is killed."""

    house: FarHouse

    @initialize()
    def open(self) -> None:
        self.house = FarHouse()
        self.house.tick(5)
        self.house.settle()
        self.held = False
        self.connected = self.drained = True
        self.browser = Browser(self.house.session())
        self.comes_back()

    def send(self, *, tick: bool) -> None:
        ticked = False if self.held else self.house.settle()
        super().send(tick=ticked or (tick and not self.held))
        if not self.held:
            self.settle()

    def settle(self) -> None:
        """Everything arrives, and who is due is served."""
        while self.house.up.waiting or self.house.down.waiting or self.house.due:
            if self.house.settle():
                super().send(tick=True)
            due, self.house.due = self.house.due, []
            if self.browser.session in due:
                super().send(tick=False)

    @rule(times=st.integers(1, 6), drained=st.booleans(), acknowledges=st.booleans(), held=st.booleans())
    def ticks_over_a_slow_relay(self, times: int, drained: bool, acknowledges: bool, held: bool) -> None:
        self.held = held
        self.ticks(times, drained, acknowledges)
        self.held = False
        self.settle()

    @rule(seconds=st.integers(2, 5))
    def ticks_late(self, seconds: int) -> None:
        self.house.advance(self.house.store(self.house.second + seconds))
        self.send(tick=True)

    @rule(restart=st.sampled_from(["", "worker", "service"]), away=st.integers(0, 5))
    def is_cut_and_comes_back(self, restart: str, away: int) -> None:
        self.connected = False
        if restart == "service":
            self.house.restart()
        elif restart == "worker":
            self.house.branch.end()
            self.house.replace_worker()
        else:
            self.browser.session.end()
        self.ticks(away, drained=True, acknowledges=True)
        self.comes_back()

    def comes_back(self) -> None:
        self.drained = True
        super().comes_back()
        self.settle()

    @invariant()
    def nothing_runs_for_nobody(self) -> None:
        assert len(self.house.feeds) == len(self.house.mirrors) == 1

    @rule()
    def asks_again_while_the_answer_is_on_its_way(self) -> None:
        if self.connected and self.browser.last is not None:
            session = self.browser.session
            text = {"after": self.browser.last}
            session.receive(subscribe(9, queries=["load"], **text))
            session.outgoing(float(self.house.second), self.drained)
            session.receive(json.dumps({"type": "unsubscribe", "feed": 10**6}))
            session.end()
            self.comes_back()


TestFarHistories = FarHistories.TestCase
TestFarHistories.settings = settings(
    max_examples=int(os.environ.get("MONITOR_HISTORIES", "60")), stateful_step_count=30, deadline=None
)
