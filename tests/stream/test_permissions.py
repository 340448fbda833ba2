"""Frames are shared inside one set of permissions: who may less is never sent what others see."""

import json
from typing import Any

import pytest

from monitor.access import Permission, Permissions, Role
from monitor.access.roles import GRANTED
from monitor.formats import live
from monitor.formats.live import View
from monitor.stream.beat import Beat
from monitor.stream.frames import Frame
from monitor.stream.session import Session
from monitor.stream.table import NEEDS, Rows
from tests.stream.far import FarHouse
from tests.stream.house import House, subscribe

BEAT = Beat(Frame(live.beat(1)), 1)
SECRET = "--password=hunter2"
VIEWER, OPERATOR = GRANTED[Role.VIEWER], GRANTED[Role.OPERATOR]
NARROW = frozenset({Permission.NOTHING, Permission.VIEW})
"""As of a token with a scope."""


@pytest.fixture(params=[House, FarHouse])
def house(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setitem(NEEDS, "commands", Permission.VIEW)
    house: House = request.param()
    house.feeds.tables["commands"] = commands
    if isinstance(house, FarHouse):
        house.mirrors.tables["commands"] = commands
    house.tick(10)
    house.settle()
    return house


def commands(may: Permissions, _view: View) -> Rows:
    """Of which operators see the arguments."""
    arguments = SECRET if Permission.VIEWERS in may else None
    return Rows(("command", "arguments"), [("mysqld", arguments)], 1)


def follower(house: House, may: Permissions, text: str) -> tuple[Session, list[Frame]]:
    """Somebody who follows what the text asks for, and the answer."""
    session = house.session()
    session.may = may
    session.receive(text)
    session.outgoing(0.0, drained=True)
    house.settle()
    return session, session.outgoing(0.0, drained=True)


def tick(house: House, *sessions: Session) -> list[list[Frame]]:
    house.tick(house.second + 1)
    house.settle()
    return [session.tick(float(house.second), True, BEAT) for session in sessions]


def arguments(frames: list[Frame]) -> list[Any]:
    return [json.loads(frame.payload)["rows"][0][1] for frame in frames]


def test_who_may_less_never_meets_what_is_for_others(house: House) -> None:
    table = subscribe(table="commands")
    operator, _ = follower(house, OPERATOR, table)
    viewer, _ = follower(house, VIEWER, table)
    for _ in range(3):
        seen, hidden = tick(house, operator, viewer)
        assert (arguments(seen), arguments(hidden)) == ([SECRET], [None])
        assert not any(SECRET.encode() in frame.payload for frame in hidden)


def test_neither_does_who_comes_back_or_asks_again(house: House) -> None:
    operator, _ = follower(house, OPERATOR, subscribe(table="commands"))
    viewer, _ = follower(house, VIEWER, subscribe(table="commands"))
    tick(house, operator, viewer)
    for each in (viewer, operator):
        each.receive('{"type": "visible", "visible": false}')
    tick(house, operator, viewer)
    viewer.receive('{"type": "visible", "visible": true}')
    missed = viewer.outgoing(0.0, drained=True)
    house.settle()
    assert arguments(missed + viewer.outgoing(0.0, drained=True)) == [None]


def test_those_who_may_the_same_share_each_frame(house: House) -> None:
    first, _ = follower(house, VIEWER, subscribe(table="commands"))
    follower(house, OPERATOR, subscribe(table="commands"))
    second, _ = follower(house, VIEWER, subscribe(table="commands"))
    one, other = tick(house, first, second)
    assert [each is same for each, same in zip(one, other, strict=True)] == [True]
    assert len(house.feeds) == 2


@pytest.mark.parametrize("text", [subscribe(queries=["load"]), subscribe(board="small")])
def test_a_feed_of_queries_belongs_to_one_set_of_permissions(house: House, text: str) -> None:
    sets = (VIEWER, OPERATOR, NARROW, VIEWER)
    sessions = [follower(house, may, text)[0] for may in sets]
    assert len(house.feeds) == 3
    (ids,) = zip(*(session.subscriptions for session in sessions), strict=True)
    assert ids[0] == ids[3]
    assert len(set(ids)) == 3
    frames = [frame for (frame,) in tick(house, *sessions)]
    assert frames[0] is frames[3]
    assert len({json.loads(frame.payload)["feed"] for frame in frames}) == 3


def test_the_last_of_a_set_takes_its_feed_along(house: House) -> None:
    viewer, _ = follower(house, VIEWER, subscribe(table="commands"))
    operator, _ = follower(house, OPERATOR, subscribe(table="commands"))
    operator.end()
    house.settle()
    assert len(house.feeds) == 1
    assert house.feeds.followed("commands")
    assert [arguments(frames) for frames in tick(house, viewer)] == [[None]]
    viewer.end()
    house.settle()
    assert not house.feeds.followed("commands")
