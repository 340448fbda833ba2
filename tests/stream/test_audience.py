"""All sessions together: greeted, ticked, swept, and out by one way."""

import asyncio
import json
from itertools import count

import pytest

from monitor.formats import live
from monitor.stream import feeds
from monitor.stream.audience import Audience
from monitor.stream.cohort import TURN
from monitor.stream.liveness import Facts, Verdict
from tests.clock import Clock
from tests.stream.house import START, House, Line, come, subscribe


def test_everybody_is_greeted_and_counted(audience: Audience) -> None:
    _, first = come(audience)
    _, second = come(audience)
    assert first.got[0]["type"] == "welcome"
    assert first.got[0]["session"] != second.got[0]["session"]
    assert first.got[0]["step"] == 1000
    assert (len(audience), audience.telemetry.clients, audience.doors.inside["here"]) == (2, 2, 2)


def test_a_tick_reaches_all_of_a_feed_with_the_same_frame(house: House, audience: Audience) -> None:
    lines = [come(audience) for _ in range(600)]
    for session, _ in lines:
        audience.receive(session, subscribe())
    asyncio.run(audience.tick(house.store(11)))
    assert {json.dumps(line.got[-1]) for _, line in lines} == {
        json.dumps({"type": "tick", "feed": 1, "n": START + 11, "t": (START + 11) * 1000, "v": [11]})
    }
    assert len(house.feeds) == 1


@pytest.mark.parametrize("served", [0, 100])
def test_one_who_joins_in_the_middle_of_a_tick_misses_nothing_and_gets_nothing_twice(
    house: House, audience: Audience, served: int
) -> None:
    lines = [come(audience) for _ in range(TURN + 100)]
    for session, _ in lines:
        audience.receive(session, subscribe())
    if not served:  # The tick stops when its column is evaluated, too.
        house.feeds.clock = count(0.0, 2 * feeds.TURN).__next__

    async def join_meanwhile() -> Line:
        tick = asyncio.create_task(audience.tick(house.store(11)))
        await asyncio.sleep(0)
        assert [line.got[-1]["type"] for _, line in lines].count("tick") == served
        session, line = come(audience)
        audience.receive(session, subscribe(range=2000))
        await tick
        await audience.tick(house.store(12))
        return line

    _, subscribed, *later = asyncio.run(join_meanwhile()).got
    assert subscribed["columns"]["v"] == [[10, 11]]
    assert [each["v"] for each in later if each["type"] != "beat"] == [[12]]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(closed_since=0.0), "zombie"),
        (Facts(unanswered=True, unanswered_since=0.0), "no-pong"),
        (Facts(stuck_since=0.0), "no-progress"),
        (Facts(closing_since=0.0), "unfinished-close"),
    ],
)
def test_the_sweep_cuts_the_dead_and_nobody_else(
    audience: Audience, clock: Clock, facts: Facts, reason: str
) -> None:
    dead, dead_line = come(audience)
    _, line = come(audience)
    audience.receive(dead, subscribe())
    dead_line.known = facts
    for second in range(1, 11):
        clock.now = float(second)
        audience.sweep()
    assert (dead_line.end, line.end) == ("cut", None)
    assert audience.telemetry.gone == {reason: 1}
    assert audience.telemetry.zombies == (reason == Verdict.ZOMBIE)
    assert len(audience.feeds) == 0


def test_the_sweep_pings_where_tornado_does_not(audience: Audience, clock: Clock) -> None:
    _, line = come(audience)
    for second in range(1, 12):
        clock.now = float(second)
        audience.sweep()
    assert (line.pings, line.end) == (1, None)


def test_a_stall_of_our_own_cuts_nobody(audience: Audience, clock: Clock) -> None:
    _, line = come(audience)
    line.known = Facts(pinged_at=0.0, unanswered=True, unanswered_since=0.5)
    audience.sweep()
    clock.now = 600.0
    audience.sweep()
    assert line.end is None
    for second in range(601, 609):
        clock.now = float(second)
        audience.sweep()
    assert line.end is None
    for second in range(609, 613):
        clock.now = float(second)
        audience.sweep()
    assert line.end == "cut"


def test_there_is_one_way_out(audience: Audience) -> None:
    session, line = come(audience)
    audience.leave(session, "lost")
    audience.leave(session, "closed")
    audience.receive(session, subscribe())
    assert audience.telemetry.gone == {"lost": 1}
    assert line.got[1:] == []
    assert not audience.doors.inside


def test_a_session_that_breaks_the_protocol_is_closed(audience: Audience) -> None:
    session, line = come(audience)
    audience.receive(session, "nonsense")
    audience.receive(session, "nonsense")
    assert line.end == (4000, "not a message of monitor.v1")
    assert line.got[1]["code"] == "bad_message"


def test_everybody_is_told_of_a_restart(audience: Audience) -> None:
    _, line = come(audience)
    audience.dismiss(1012, live.notice("restarting", "back soon", retry_in=2000), "service restart")
    assert line.got[-1]["details"] == {"retry_in": 2000}
    assert line.end == (1012, "service restart")


def test_what_was_skipped_is_counted(house: House, audience: Audience) -> None:
    session, line = come(audience)
    audience.receive(session, subscribe())
    line.stall()
    for second in (11, 12):
        asyncio.run(audience.tick(house.store(second)))
    assert audience.telemetry.frames_skipped == 2
