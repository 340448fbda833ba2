"""What waits for slow viewers in all, and what a session that asks for much may make wait."""

from __future__ import annotations

from monitor.footprint import SPARE
from monitor.formats.live import MessageError, Subscribe, Unsubscribe
from monitor.stream.backlog import Backlog
from monitor.stream.beat import Beat
from monitor.stream.frames import Frame
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Awake
from monitor.stream.session import Session
from monitor.stream.weight import weight
from tests.stream.house import House, Line, read, subscribe

BEAT = Beat(Frame(b'{"type":"beat"}'), 1)


def kinds(session: Session, now: float = 0.0) -> list[str]:
    return [message["type"] for message in read(session.tick(now, True, BEAT))]


def test_what_any_connection_may_have_waiting_does_not_count() -> None:
    backlog = Backlog(limit=100)
    for _ in range(1000):
        backlog.add(SPARE)
    assert backlog.left()
    backlog.add(SPARE + 100)
    assert not backlog.left()
    backlog.measure([SPARE, SPARE + 60, SPARE + 30])
    assert (backlog.waiting, backlog.left()) == (90, True)


def full() -> Backlog:
    backlog = Backlog(limit=1)
    backlog.add(SPARE + 1)
    return backlog


def test_while_it_is_full_requests_wait_and_ticks_go_on() -> None:
    house = House()
    house.tick(5)
    backlog = Backlog(limit=1)
    session = Session(house.feeds, house.boards, SessionLimits(), backlog=backlog)
    session.receive(subscribe(1, range=5000))
    assert kinds(session) == ["subscribed"]
    backlog.add(SPARE + 1)
    session.receive(subscribe(2, queries=["bytes"]))
    for second in (6, 7):
        house.tick(second)
        assert kinds(session) == ["tick"]
    backlog.measure([])
    assert kinds(session) == ["subscribed"]


def test_while_it_is_full_the_last_to_unsubscribe_stops_the_work_all_the_same() -> None:
    house = House()
    house.tick(5)
    backlog = Backlog(limit=1)
    session = Session(house.feeds, house.boards, SessionLimits(), backlog=backlog)
    session.receive(subscribe(1))
    assert kinds(session) == ["subscribed"]
    backlog.add(SPARE + 1)
    session.receive('{"type": "unsubscribe", "feed": 1}')
    assert session.outgoing(0.0, drained=True) == []
    assert len(house.feeds) == 0


def test_while_it_is_full_nobody_is_caught_up() -> None:
    house = House()
    house.tick(5)
    backlog = Backlog(limit=1)
    session = Session(house.feeds, house.boards, SessionLimits(), backlog=backlog)
    session.receive(subscribe(1))
    kinds(session)
    house.tick(8)
    backlog.add(SPARE + 1)
    assert kinds(session) == ["beat"]
    backlog.measure([])
    assert "columns" in kinds(session)


def test_whoever_asks_for_much_gets_it_in_several_steps() -> None:
    house = House()
    house.tick(60)
    limits = SessionLimits(credit_bytes=200)
    session = Session(house.feeds, house.boards, limits)
    for request in range(1, 4):
        session.receive(subscribe(request, queries=["load"] * request, range=60_000))
    steps = [kinds(session, now) for now in range(3)]
    assert [step.count("subscribed") for step in steps] == [1, 1, 1]


def test_requests_that_wait_take_a_bounded_room() -> None:
    house = House()
    session = Session(house.feeds, house.boards, SessionLimits(message=4096), backlog=full())
    count = 0
    while session.closing is None:
        session.receive(subscribe(count, queries=["load"] * 10))
        count += 1
    assert session.closing.code == 1008
    assert count < 10
    assert sum(map(weight, session._inbox)) <= 2 * 4096


def test_a_request_weighs_its_text_and_more() -> None:
    assert weight(Unsubscribe(1)) == 1024
    assert weight(MessageError("x" * 500)) > 1500
    long = Subscribe(1, ("x" * 1000, "y" * 1000), variables={"name": "z" * 1000})
    assert weight(long) > 4000


def test_a_sweep_measures_what_waits() -> None:
    now = [0.0]
    house = House()
    audience = house.audience(Awake(lambda: now[0], interval=1.0))
    line = Line()
    audience.join(line)
    line.stall()
    audience._send(line, [Frame(b"1" + b" " * (SPARE + 6))])
    assert audience.backlog.waiting == 7
    audience.sweep()
    assert audience.backlog.waiting == 0
