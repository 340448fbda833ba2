"""Whoever rests on a credential leaves with it, and nobody else does."""

from __future__ import annotations

import pytest

from monitor.access import Credential, Permission, Role
from monitor.access.roles import GRANTED
from monitor.stream.audience import Audience
from monitor.stream.liveness import Awake
from tests.stream.house import House, Line, come, subscribe


@pytest.fixture
def audience() -> Audience:
    house = House()
    house.tick(10)
    return house.audience(Awake(lambda: 0.0, interval=1.0))


def holding(key: str, role: Role = Role.VIEWER) -> Line:
    line = Line()
    line.credential = Credential(key, key, role, GRANTED[role])
    return line


def test_those_whose_credential_has_ended_are_closed_with_4401(audience: Audience) -> None:
    first, second, other = holding("a"), holding("a"), holding("b")
    for line in (first, second, other):
        audience.join(line)
    audience.expel({"a", "unheard of"})
    assert first.end == second.end == (4401, "the credentials have ended")
    assert other.end is None
    assert set(audience.members.keys) == {"a", "b"}


def test_a_credential_is_in_use_until_the_last_has_left(audience: Audience) -> None:
    sessions = [audience.join(holding("a")) for _ in range(2)]
    audience.leave(sessions[0], "closed")
    assert set(audience.members.keys) == {"a"}
    audience.leave(sessions[1], "closed")
    audience.leave(sessions[1], "closed")
    assert not audience.members.keys


def test_one_who_closes_already_is_not_told_another_reason(audience: Audience) -> None:
    line = holding("a")
    session = audience.join(line)
    audience.cut(session.id)
    audience.expel({"a"})
    assert line.end == (4403, "cut by an operator")


def test_nothing_is_sent_to_who_has_been_expelled(audience: Audience) -> None:
    line = holding("a")
    session = audience.join(line)
    audience.expel({"a"})
    before = len(line.got)
    audience.receive(session, subscribe(board="small"))
    audience.sweep()
    assert len(line.got) == before


@pytest.mark.parametrize("role", Role)
def test_who_watches_is_shown_to_operators_alone(audience: Audience, role: Role) -> None:
    line = holding("a", role)
    session = audience.join(line)
    audience.receive(session, subscribe(table="viewers"))
    answer = line.got[-1]
    if Permission.VIEWERS in GRANTED[role]:
        assert answer["type"] == "table"
        assert dict(zip(answer["columns"], answer["rows"][0], strict=True))["user"] == "a"
    else:
        assert (answer["type"], answer["code"], answer["request"]) == ("error", "not_permitted", 1)
        assert not session.subscriptions


def test_a_table_that_says_nothing_of_who_may_see_it_is_shown_to_nobody(audience: Audience) -> None:
    audience.feeds.tables["forgotten"] = lambda _may, _view: audience.viewers()
    session, line = come(audience)
    audience.receive(session, subscribe(table="forgotten"))
    assert line.got[-1]["code"] == "not_permitted"
