"""A table over the live protocol: the newest rows once a tick, made only while somebody watches."""

import json
from typing import Any

import pytest

from monitor.access import Permission, Permissions
from monitor.formats import live
from monitor.formats.live import View
from monitor.stream.beat import Beat
from monitor.stream.frames import Frame
from monitor.stream.limits import SessionLimits
from monitor.stream.session import Session
from monitor.stream.table import NEEDS, Rows
from tests.stream.house import START, House, read, subscribe

BEAT = Beat(Frame(live.beat(1)), 1)
TABLE = subscribe(request=0, table="seconds")


@pytest.fixture(autouse=True)
def everybody_may_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NEEDS, "seconds", Permission.VIEW)


class Seconds:
    """A table of one row that counts how often it was asked."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.asked = 0

    def __call__(self, _may: Permissions, _view: View) -> Rows:
        self.asked += 1
        return Rows(("second",), [(self.house.second,)], 1)


@pytest.fixture
def house() -> House:
    return furnished(SessionLimits())


def furnished(limits: SessionLimits) -> House:
    house = House(limits)
    house.tick(10)
    house.feeds.tables["seconds"] = Seconds(house)
    return house


def asked(house: House) -> int:
    source = house.feeds.tables["seconds"]
    assert isinstance(source, Seconds)
    return source.asked


def ask(session: Session, text: str) -> list[dict[str, Any]]:
    session.receive(text)
    return read(session.outgoing(0.0, drained=True))


def tick(house: House, session: Session, second: int, *, drained: bool = True) -> list[dict[str, Any]]:
    house.tick(second)
    return read(session.tick(float(second), drained, BEAT))


def test_the_newest_rows_are_the_answer(house: House) -> None:
    (table,) = ask(house.session(), TABLE)
    assert table == {
        "type": "table",
        "table": "seconds",
        "feed": 1,
        "n": START + 10,
        "columns": ["second"],
        "rows": [[10]],
        "total": 1,
    }


def test_a_tick_brings_the_rows_once_and_the_same_frame_to_all(house: House) -> None:
    first, second = house.session(), house.session()
    ask(first, TABLE)
    ask(second, TABLE)
    house.tick(11)
    (frame,) = first.tick(11.0, True, BEAT)
    assert second.tick(11.0, True, BEAT) == [frame]
    assert read([frame])[0]["rows"] == [[11]]
    assert asked(house) == 2


def test_nothing_is_made_when_the_last_has_left(house: House) -> None:
    session = house.session()
    (table,) = ask(session, TABLE)
    assert ask(session, json.dumps({"type": "unsubscribe", "feed": table["feed"]})) == []
    assert [message["type"] for message in tick(house, session, 11)] == ["beat"]
    assert (asked(house), len(house.feeds)) == (1, 0)


def test_a_session_that_ends_lets_go_of_it(house: House) -> None:
    session = house.session()
    ask(session, TABLE)
    session.end()
    assert len(house.feeds) == 0


def test_asking_again_brings_the_newest_and_counts_once(house: House) -> None:
    session = house.session()
    (table,) = ask(session, TABLE)
    assert ask(session, TABLE) == [table]
    ask(session, json.dumps({"type": "unsubscribe", "feed": table["feed"]}))
    assert len(house.feeds) == 0


def test_who_does_not_drain_gets_the_newest_next_and_no_catch_up(house: House) -> None:
    session = house.session()
    ask(session, TABLE)
    assert tick(house, session, 11, drained=False) == []
    assert tick(house, session, 12, drained=False) == []
    messages = tick(house, session, 13)
    assert [message["type"] for message in messages] == ["notice", "table"]
    assert messages[-1]["rows"] == [[13]]


def test_a_hidden_page_is_sent_none(house: House) -> None:
    session = house.session()
    ask(session, TABLE)
    assert ask(session, '{"type": "visible", "visible": false}') == []
    assert [message["type"] for message in tick(house, session, 11)] == ["beat"]
    (table,) = ask(session, '{"type": "visible", "visible": true}')
    assert table["rows"] == [[11]]


def test_tables_take_credit_and_an_acknowledgement_gives_it_back() -> None:
    house = furnished(SessionLimits(credit=2))
    session = house.session()
    (table,) = ask(session, TABLE)
    assert [message["type"] for message in tick(house, session, 11)] == ["table"]
    assert [message["type"] for message in tick(house, session, 12)] == ["beat"]
    (newest,) = ask(session, json.dumps({"type": "ack", "feed": table["feed"], "n": START + 11}))
    assert newest["rows"] == [[12]]


def test_beside_a_board_both_come_with_every_tick(house: House) -> None:
    session = house.session()
    ask(session, subscribe(board="small"))
    ask(session, TABLE)
    assert [message["type"] for message in tick(house, session, 11)] == ["tick", "table"]


def test_a_table_that_is_not_there_is_named(house: House) -> None:
    (error,) = ask(house.session(), subscribe(request=0, table="chairs"))
    assert (error["request"], error["code"]) == (0, "unknown_table")
    assert error["message"] == "no table named 'chairs'; there are: seconds"


def test_a_table_counts_among_the_subscriptions() -> None:
    house = furnished(SessionLimits(subscriptions=1))
    session = house.session()
    ask(session, subscribe())
    (error,) = ask(session, TABLE)
    assert error["code"] == "too_many"
    assert len(house.feeds) == 1
