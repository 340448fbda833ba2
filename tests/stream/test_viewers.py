"""The rows of those who watch: what is told of each, and that an operator can cut one."""

import asyncio
import json
from typing import Any

import pytest

from monitor.stream import viewers
from monitor.stream.audience import Audience
from tests.clock import Clock
from tests.stream.house import START, House, come, subscribe

HIDE = '{"type": "visible", "visible": false}'


def rows(audience: Audience) -> list[dict[str, Any]]:
    columns, found, *_ = audience.viewers()
    return [dict(zip(columns, row, strict=True)) for row in found]


def ticks(house: House, audience: Audience, *seconds: int) -> None:
    for second in seconds:
        asyncio.run(audience.tick(house.store(second)))


def test_a_row_tells_who_it_is_and_what_they_watch(audience: Audience) -> None:
    session, line = come(audience)
    audience.receive(session, subscribe(board="small"))
    (row,) = rows(audience)
    assert row == {
        "session": line.got[0]["session"],
        "address": "here",
        "agent": "line/1",
        "user": "",
        "board": "small",
        "since": (START + 10) * 1000,
        "round_trip": None,
        "rate": 0,
        "lag": None,
        "skipped": 0,
        "waiting": 0,
        "oldest": 0,
        "state": "live",
    }


def test_queries_of_ones_own_have_no_name_and_tables_do_not_count(audience: Audience) -> None:
    first, _ = come(audience)
    second, _ = come(audience)
    for asked in (subscribe(board="small"), subscribe(queries=["load"]), subscribe(queries=["bytes"])):
        audience.receive(first, asked)
    audience.receive(second, subscribe(table="viewers"))
    assert [row["board"] for row in rows(audience)] == ["small, queries", ""]


def test_the_round_trip_and_the_lag_are_told_in_milliseconds(audience: Audience) -> None:
    session, line = come(audience)
    line.pulse.pinged(b"1", 1.0)
    line.pulse.ponged(b"1", 1.0312)
    audience.receive(session, f'{{"type": "ack", "feed": 1, "n": {START}, "lag": 42.5}}')
    audience.receive(session, f'{{"type": "ack", "feed": 2, "n": {START}}}')
    (row,) = rows(audience)
    assert (row["round_trip"], row["lag"]) == (31.2, 42.5)


def test_what_waits_is_told_with_the_age_of_its_oldest_byte(audience: Audience, clock: Clock) -> None:
    _, line = come(audience)
    line.pulse.wrote(1000)
    line.pulse.waiting(1000, 1.0)
    line.pulse.wrote(500)
    line.pulse.waiting(1200, 2.0)
    clock.now = 3.5
    assert [(row["waiting"], row["oldest"]) for row in rows(audience)] == [(1200, 2500)]
    line.pulse.waiting(300, 3.0)
    assert [(row["waiting"], row["oldest"]) for row in rows(audience)] == [(300, 1500)]
    line.pulse.waiting(0, 3.5)
    assert [(row["waiting"], row["oldest"]) for row in rows(audience)] == [(0, 0)]


def test_the_rate_is_what_reaches_the_peer(audience: Audience) -> None:
    _, line = come(audience)
    for second in range(1, 31):
        line.pulse.wrote(2000)
        line.pulse.waiting(0, float(second))
    assert rows(audience)[0]["rate"] == pytest.approx(2000, rel=0.01)
    for second in range(31, 61):
        line.pulse.wrote(2000)
        line.pulse.waiting((second - 30) * 2000, float(second))
    assert rows(audience)[0]["rate"] == pytest.approx(0, abs=1)


def test_every_state_has_its_word(house: House, audience: Audience) -> None:
    live, slow, hidden, parked, closing = (come(audience) for _ in range(5))
    for session, _ in (live, slow, hidden, parked, closing):
        audience.receive(session, subscribe())
    slow[1].stall()
    audience.receive(hidden[0], HIDE)
    parked[0].parked = True
    closing[1].pulse.facts(1.0, closing=True)
    ticks(house, audience, 11, 12)
    assert [row["state"] for row in rows(audience)] == ["live", "slow", "hidden", "parked", "closing"]
    assert [row["skipped"] for row in rows(audience)] == [0, 2, 0, 0, 0]


def test_those_who_watch_the_table_see_everybody_with_each_tick(house: House, audience: Audience) -> None:
    first, line = come(audience)
    audience.receive(first, subscribe(request=0, table="viewers"))
    second, _ = come(audience)
    ticks(house, audience, 11)
    table = line.got[-1]
    assert [row[0] for row in table["rows"]] == [first.id, second.id]
    assert (table["n"], table["total"]) == (START + 11, 2)


def test_nobody_is_looked_at_while_nobody_watches(
    house: House, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(viewers, "_viewer", lambda *viewer: made.append(viewer))
    session, _ = come(audience)
    audience.receive(session, subscribe())
    ticks(house, audience, 11)
    assert not made


def test_the_table_is_bounded_and_tells_the_total(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "MOST", 2)
    sessions = [come(audience)[0] for _ in range(3)]
    assert [row["session"] for row in rows(audience)] == [session.id for session in sessions[:2]]
    assert audience.viewers().total == 3


def test_one_that_is_cut_is_closed_with_the_reason(house: House, audience: Audience) -> None:
    session, line = come(audience)
    _, other = come(audience)
    audience.receive(session, subscribe())
    assert audience.cut(session.id)
    assert (line.end, other.end) == ((4403, "cut by an operator"), None)
    assert (rows(audience)[0]["state"], len(house.feeds)) == ("closing", 0)


def test_a_viewer_that_is_not_there_is_not_cut(audience: Audience) -> None:
    session, _ = come(audience)
    audience.leave(session, "closed")
    assert not audience.cut(session.id)


def test_the_whole_table_is_json(audience: Audience) -> None:
    come(audience)
    assert json.loads(json.dumps(audience.viewers().rows)) == [list(audience.viewers().rows[0])]
