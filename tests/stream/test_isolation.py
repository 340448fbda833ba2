"""What fails for one feed, table or session ends there, and all others have their tick."""

import asyncio
import json

import pytest

from monitor.access import Permission, Permissions
from monitor.bus import Isolation
from monitor.formats import live
from monitor.formats.live import View
from monitor.stream.audience import Audience
from monitor.stream.beat import Beat
from monitor.stream.feed import Feed
from monitor.stream.frames import Frame
from monitor.stream.liveness import Awake
from monitor.stream.session import Session
from monitor.stream.table import NEEDS, Rows
from tests.clock import Clock
from tests.conftest import ExpectLog
from tests.stream.house import START, House, come, read, subscribe

BEAT = Beat(Frame(live.beat(1)), 1)


class Source:
    """A table's source that works, or does not."""

    works = True

    def __call__(self, _may: Permissions, _view: View) -> Rows:
        if not self.works:
            raise ZeroDivisionError("a fault of ours")
        return Rows(("one",), [(1,)], 1)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setitem(NEEDS, "ones", Permission.VIEW)
    return Source()


@pytest.fixture
def house(source: Source) -> House:
    house = House()
    house.feeds.isolated = Isolation(Clock())
    house.feeds.tables["ones"] = source
    house.tick(10)
    return house


@pytest.fixture
def audience(house: House) -> Audience:
    audience = house.audience(Awake(Clock(), 1.0))
    audience.isolated = Isolation(Clock())
    return audience


def follow(house: House, text: str) -> Session:
    session = house.session()
    session.receive(text)
    session.outgoing(0.0, drained=True)
    return session


def kinds(house: House, session: Session) -> list[str]:
    return [each["type"] for each in read(session.tick(float(house.second), True, BEAT))]


def test_a_table_whose_source_fails_stands_still_and_the_others_go_on(
    house: House, source: Source, expect_log: ExpectLog
) -> None:
    expect_log("the table ones failed")
    broken = follow(house, subscribe(table="ones"))
    well = follow(house, subscribe(queries=["load"]))
    source.works = False
    for second in (11, 12):
        house.tick(second)
        assert kinds(house, broken) == ["beat"]
        assert kinds(house, well) == ["tick"]
    source.works = True
    house.tick(13)
    (table,) = read(broken.tick(13.0, True, BEAT))
    assert (table["n"], table["rows"]) == (START + 13, [[1]])


def test_a_table_that_cannot_be_made_is_refused_and_the_connection_stays(
    house: House, source: Source, expect_log: ExpectLog
) -> None:
    expect_log("the table ones failed")
    source.works = False
    session = house.session()
    session.receive(subscribe(7, table="ones"))
    (error,) = read(session.outgoing(0.0, drained=True))
    assert (error["type"], error["request"]) == ("error", 7)
    assert "the table ones cannot be made at present" in error["message"]
    assert len(house.feeds) == 0


def test_a_feed_that_fails_does_not_stop_the_next(
    house: House, expect_log: ExpectLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log("a feed failed")
    broken = house.feeds.open(["load"], {}, 1000)
    well = house.feeds.open(["load + 1"], {}, 1000)
    assert isinstance(broken, Feed)
    monkeypatch.setattr(broken, "_new_series", lambda: 1 / 0)
    house.tick(11)
    assert [json.loads(frame.payload)["v"] for frame in well.frames] == [[12]]


def test_a_session_whose_tick_fails_is_cut_and_those_behind_it_are_served(
    house: House, audience: Audience, expect_log: ExpectLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log("the tick of a session failed")
    _, before = come(audience)
    broken, line = come(audience)
    _, behind = come(audience)
    monkeypatch.setattr(broken, "tick", lambda *_: 1 / 0)
    asyncio.run(audience.tick(house.store(11)))
    assert (before.got[-1]["type"], behind.got[-1]["type"]) == ("beat", "beat")
    assert (line.end, broken in audience.connections) == ("cut", False)
    assert audience.telemetry.gone == {"failed": 1}


def test_those_in_step_who_are_not_served_go_on_by_themselves(
    house: House, audience: Audience, expect_log: ExpectLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log("the tick of those in step failed")
    session, line = come(audience)
    audience.receive(session, subscribe())
    for second in (11, 12):
        asyncio.run(audience.tick(house.store(second)))
    assert session.cohort is not None
    with monkeypatch.context() as broken:
        broken.setattr(audience.carrier, "broadcast", lambda *_: 1 / 0)
        asyncio.run(audience.tick(house.store(13)))
    for second in (14, 15):
        asyncio.run(audience.tick(house.store(second)))
    assert [each["v"] for each in line.got if each["type"] == "tick"][-1] == [15]
