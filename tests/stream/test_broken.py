"""A fault of the evaluator is the answer to one query: the tick goes on, and all others have theirs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from monitor.model import Columns
from monitor.promql import Query, moment
from monitor.promql.evaluate import answer
from monitor.promql.vector import Context
from monitor.stream.audience import Audience
from tests.conftest import ExpectLog
from tests.stream.house import House, come, subscribe

SAID = "the service failed to work this out; its log says where"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Queries that the evaluator has a fault for, by a part of their text."""
    parts: set[str] = set()

    def failing(context: Context, query: Query) -> Columns:
        if any(part in query.text for part in parts):
            raise IndexError("out of bounds")
        return answer(context, query)

    monkeypatch.setattr(moment, "answer", failing)
    return parts


def test_a_query_that_breaks_is_told_once_and_all_others_go_on(
    house: House,
    audience: Audience,
    broken: set[str],
    expect_log: ExpectLog,
    caplog: pytest.LogCaptureFixture,
) -> None:
    people = [come(audience) for _ in range(2)]
    for (session, _), queries in zip(people, (["bytes", "load"], ["load * 2"]), strict=True):
        audience.receive(session, subscribe(queries=queries))
    expect_log("the query bytes cannot be worked out")
    broken.add("bytes")
    for second in (11, 12):
        asyncio.run(audience.tick(house.store(second)))
    broken.clear()
    asyncio.run(audience.tick(house.store(13)))
    (_, mixed), (_, other) = people
    assert values(mixed.got) == [[None, 11], [None, 12], [1, 13]]
    assert values(other.got) == [[22], [24], [26]]
    told = [message for message in mixed.got if message["type"] == "notice"]
    assert [(each["code"], each["message"], each["details"]) for each in told] == [
        ("query_failed", SAID, {"query": 0})
    ]
    assert len(caplog.records) == 1
    assert 'IndexError("out of bounds")' in caplog.text


def test_one_who_asks_for_what_breaks_is_refused_and_stays(
    audience: Audience, broken: set[str], expect_log: ExpectLog
) -> None:
    expect_log("the query bytes cannot be worked out")
    broken.add("bytes")
    session, line = come(audience)
    audience.receive(session, subscribe(queries=["bytes"]))
    assert (line.got[-1]["code"], line.got[-1]["message"]) == ("bad_query", SAID)
    assert (line.end, len(audience.feeds)) == (None, 0)


def values(got: list[dict[str, Any]]) -> list[list[float | None]]:
    return [message["v"] for message in got if message["type"] == "tick"]
