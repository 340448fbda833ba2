"""Served together or each by itself: nobody can tell the difference."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.stream.audience import Audience
from monitor.stream.beat import Beat
from monitor.stream.cohort import Allowance, Cohort
from monitor.stream.credit import Sent
from monitor.stream.frames import Frame
from monitor.stream.ledger import Ledger
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Awake
from monitor.stream.session import Session
from tests.clock import Clock
from tests.stream.house import START, House, Line, Lines, come, subscribe

LIMITS = SessionLimits(credit=6, credit_bytes=500, park_after=4.0)
PEOPLE = 2


class Watched(NamedTuple):
    """An audience with everybody who ever came to it."""

    house: House
    clock: Clock
    audience: Audience
    people: list[tuple[Session, Line]]


def watched(together: bool) -> Watched:
    house, clock = House(LIMITS), Clock()
    house.tick(3)
    audience = house.audience(Awake(clock, interval=1.0))
    made = Watched(house, clock, audience, [])
    for _ in range(PEOPLE):
        line = Line()
        line.socket = line if together else None
        made.people.append((audience.join(line), line))
    return made


def play(made: Watched, steps: list[tuple[str, int, int]]) -> None:
    for what, who, number in steps:
        session, line = made.people[who]
        if what == "tick":
            made.clock.now += 1.0
            asyncio.run(made.audience.tick(made.house.store(made.house.second + 1 + number // 5)))
            made.audience.sweep()
        elif what == "stall":
            line.stall()
        elif what == "drain":
            line.open = True
        elif session in made.audience.connections:
            speak(made, session, line, what, number)


def speak(made: Watched, session: Session, line: Line, what: str, number: int) -> None:
    if what == "leave":
        made.audience.leave(session, "closed")
        return
    texts = {
        "board": subscribe(board="small"),
        "own": subscribe(range=number * 1000),
        "slow": subscribe(queries=["bytes"], step=2000),
        "drop": json.dumps({"type": "unsubscribe", "feed": 1 + number % 3}),
        "hide": '{"type": "visible", "visible": false}',
        "show": '{"type": "visible", "visible": true}',
        "noise": '{"type": "nothing"}',
        "ack": acknowledgement(line, number),
    }
    made.audience.receive(session, texts[what])


def acknowledgement(line: Line, back: int) -> str:
    """Of one of the last columns received."""
    told = [each for each in line.got if each["type"] in ("tick", "columns")]
    chosen = told[-1 - min(back, len(told) - 1)] if told else {"feed": 1, "n": START}
    return json.dumps({"type": "ack", "feed": chosen["feed"], "n": chosen["n"]})


def story(made: Watched) -> list[Any]:
    """All that can be seen from outside."""
    return [
        (
            [message for message in line.got if message["type"] != "welcome"],
            line.end,
            session.skipped,
            session.skipped_in_all,
            session.parked,
        )
        for session, line in made.people
    ]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["tick"] * 24
            + ["ack"] * 4
            + ["board", "own", "slow", "drop", "hide", "show", "stall", "drain", "drain", "noise", "leave"]
        ),
        st.integers(0, PEOPLE - 1),
        st.integers(0, 5),
    ),
    min_size=20,
    max_size=90,
)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_who_is_served_together_is_sent_what_each_would_be_sent_by_itself(
    steps: list[tuple[str, int, int]],
) -> None:
    everybody = [("board", who, 0) for who in range(PEOPLE)]
    together, apart = watched(together=True), watched(together=False)
    for made in (together, apart):
        play(made, [*everybody, *steps])
    assert story(together) == story(apart)
    for figure in ("frames_sent", "frames_skipped", "messages_received", "gone"):
        assert getattr(together.audience.telemetry, figure) == getattr(apart.audience.telemetry, figure)


def test_those_in_step_are_together_from_the_next_tick_on(house: House, audience: Audience) -> None:
    people = [come(audience) for _ in range(3)]
    for session, _ in people:
        audience.receive(session, subscribe())
    asyncio.run(audience.tick(house.store(11)))
    (cohort,) = audience.cohorts.values()
    assert (len(cohort), audience.apart) == (3, {})
    audience.receive(people[1][0], subscribe(queries=["bytes"]))
    assert (len(cohort), list(audience.apart)) == (2, [people[1][0]])
    for session, _ in (people[0], people[2]):
        audience.leave(session, "closed")
    asyncio.run(audience.tick(house.store(12)))
    assert [len(each) for each in audience.cohorts.values()] == [1]


@pytest.mark.parametrize("leaves", [{0}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}])
def test_holes_are_closed_and_everybody_else_goes_on(
    house: House, audience: Audience, leaves: set[int]
) -> None:
    people = [come(audience) for _ in range(3)]
    for session, _ in people:
        audience.receive(session, subscribe())
    asyncio.run(audience.tick(house.store(11)))
    for place in leaves:
        audience.leave(people[place][0], "closed")
    newcomer, line = come(audience)
    audience.receive(newcomer, subscribe(range=0))
    for second in (12, 13):
        asyncio.run(audience.tick(house.store(second)))
    for place, (_, each) in enumerate(people):
        assert each.got[-1]["v"] == [11 if place in leaves else 13]
    assert line.got[-1]["v"] == [13]


def test_the_last_of_a_cohort_to_unsubscribe_stops_the_work(house: House, audience: Audience) -> None:
    people = [come(audience) for _ in range(2)]
    for session, _ in people:
        audience.receive(session, subscribe())
    asyncio.run(audience.tick(house.store(11)))
    (cohort,) = audience.cohorts.values()
    (feed,) = cohort.feeds
    for left, (session, line) in zip((1, 0), people, strict=True):
        audience.receive(session, json.dumps({"type": "unsubscribe", "feed": line.got[-1]["feed"]}))
        assert (len(cohort), len(audience.feeds)) == (left, left)
    reached = feed.n
    asyncio.run(audience.tick(house.store(12)))
    assert feed.n == reached
    assert cohort not in audience.cohorts.values()


def test_those_who_watch_a_table_are_served_together_too(house: House, audience: Audience) -> None:
    people = [come(audience) for _ in range(2)]
    for session, _ in people:
        audience.receive(session, subscribe())
        audience.receive(session, subscribe(table="viewers"))
    for second in (11, 12):
        asyncio.run(audience.tick(house.store(second)))
    assert [len(cohort) for cohort in audience.cohorts.values()] == [2]
    for _, line in people:
        tick, table = line.got[-2:]
        assert (tick["v"], table["type"], table["total"]) == ([12], "table", 2)


def test_whoever_takes_a_part_was_sent_all_and_goes_on_alone(
    house: House, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [come(audience) for _ in range(2)]
    for session, _ in people:
        audience.receive(session, subscribe())
    asyncio.run(audience.tick(house.store(11)))
    (_, first), (slow, line) = people
    parts: list[int] = []

    def stall(_data: bytes, taken: int) -> None:
        line.stall()
        parts.append(taken)

    monkeypatch.setattr(line, "go_on", stall)
    monkeypatch.setattr(audience.carrier, "broadcast", lambda _sockets, _data: [(1, 3)])
    telemetry = audience.telemetry
    before, size = telemetry.frames_sent, telemetry.bytes_sent
    asyncio.run(audience.tick(house.store(12)))
    assert (parts, list(audience.apart), slow.skipped) == ([3], [slow], 0)
    assert telemetry.frames_sent - before == 2
    assert telemetry.bytes_sent - size == 2 * wire_size(first.got[-1], 12)


def wire_size(tick: dict[str, Any], second: int) -> int:
    """Bytes of the frame of a tick like this one, with its header."""
    told = {**tick, "n": START + second, "t": (START + second) * 1000, "v": [second]}
    return 2 + len(json.dumps(told, separators=(",", ":")))


class Follower:
    """A member that keeps what it was told."""

    def __init__(self, allowance: Allowance) -> None:
        self.cohort: Cohort | None = None
        self.place = 0
        self.allowed = allowance
        self.messages = 0
        self.columns: list[int] = []

    def settle(self, sent: Sequence[Sent], columns: Sequence[int]) -> None:
        self.messages += len(sent)
        self.columns = list(columns)

    def allowance(self, now: float) -> Allowance:
        return self.allowed


class Ticking:
    """A feed that is always in step."""

    id = 1
    step = 1000
    size = 10
    key = 1
    queries: Sequence[object] = ()

    def __init__(self) -> None:
        self.n = 0
        self.frames: list[Frame] = []

    def go_on(self, columns: int = 1) -> None:
        self.n += columns
        self.frames = [Frame(b"{}")] if columns == 1 else []


def run(cohort: Cohort, now: float) -> list[bytes]:
    frames = cohort.advance(now, Beat(Frame(b'"beat"'), int(now)))
    list(cohort.serve(b"", Lines(), Ledger()))
    return [frame.payload for frame in frames]


@pytest.mark.parametrize(
    ("allowance", "served"),
    [
        (Allowance(3, 1000, 100.0), 3),
        (Allowance(100, 25, 100.0), 3),
        (Allowance(100, 1000, 5.0), 4),
        (Allowance(0, 1000, 100.0), 0),
    ],
)
def test_nobody_is_served_beyond_the_allowance(allowance: Allowance, served: int) -> None:
    feed = Ticking()
    left: list[object] = []
    cohort = Cohort([feed], deflate=False, left=left.append)
    follower = Follower(allowance)
    cohort.join(follower, None, 0)
    for second in range(1, 10):
        feed.go_on()
        run(cohort, float(second))
    assert (follower.messages, follower.columns, left) == (served, [served], [follower])


def test_a_feed_that_jumps_leaves_everybody_to_himself() -> None:
    feed = Ticking()
    left: list[object] = []
    cohort = Cohort([feed], deflate=False, left=left.append)
    followers = [Follower(Allowance(9, 999, 99.0)) for _ in range(3)]
    for follower in followers:
        cohort.join(follower, None, 0)
    feed.go_on()
    assert run(cohort, 1.0) == [b"{}"]
    feed.go_on(columns=2)
    assert run(cohort, 2.0) == []
    assert (left, len(cohort)) == (followers, 0)
    assert {(follower.messages, *follower.columns) for follower in followers} == {(1, 1)}


def test_silence_never_lasts_and_the_time_is_told_once_a_minute() -> None:
    feed = Ticking()
    cohort = Cohort([feed], deflate=False, left=print)
    cohort.join(Follower(Allowance(999, 99999, 999.0)), None, 0)
    assert run(cohort, 1.0) == [b'"beat"']
    sent = []
    for second in range(2, 123):
        feed.go_on()
        sent.append(run(cohort, float(second)))
    assert [len(each) for each in sent].count(2) == 2


def test_a_tick_that_failed_half_way_loses_nothing() -> None:
    feed = Ticking()
    left: list[object] = []
    cohort = Cohort([feed], deflate=False, left=left.append)
    followers = [Follower(Allowance(999, 99999, 999.0)) for _ in range(600)]
    for follower in followers:
        cohort.join(follower, None, 0)
    feed.go_on()
    cohort.advance(1.0, Beat(Frame(b""), 1))
    next(cohort.serve(b"", Lines(), Ledger()))
    feed.go_on()
    run(cohort, 2.0)
    assert left == followers[500:]
    assert {follower.messages for follower in followers[500:]} == {0}
    cohort.settle(followers[0])
    assert followers[0].messages == 2


def test_what_all_are_settled_of_is_forgotten() -> None:
    feed = Ticking()
    cohort = Cohort([feed], deflate=False, left=print)
    follower = Follower(Allowance(10**6, 10**9, 1e9))
    cohort.join(follower, None, 0)
    for second in range(2000):
        feed.go_on()
        run(cohort, float(second))
        cohort.settle(follower)
    assert follower.messages == 2000
    assert len(cohort._log) < 600
