"""Many boards of overlapping queries cost one evaluation of each distinct query."""

from collections import Counter

import pytest

from monitor.model import Columns
from monitor.promql import Query, moment
from monitor.promql.evaluate import answer
from monitor.promql.vector import Context
from monitor.stream.feed import Feed
from tests.stream.house import House

QUERIES = [f"load * {factor}" for factor in range(20)]


def board(house: House, number: int) -> Feed:
    """A fourth of the queries, and one of its own."""
    texts = [QUERIES[(number + place) % len(QUERIES)] for place in range(5)]
    return house.feeds.open([*texts, f"load + {number}"], {}, 1000)


def test_each_distinct_query_is_evaluated_once_a_tick(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    boards = [board(house, number) for number in range(200)]
    evaluated: Counter[str] = Counter()

    def counting(context: Context, query: Query) -> Columns:
        evaluated[query.text] += 1
        return answer(context, query)

    monkeypatch.setattr(moment, "answer", counting)
    house.tick(11)
    assert set(evaluated.values()) == {1}
    assert len(evaluated) == 20 + 200
    assert {feed.n for feed in boards} == {house.feeds.now // 1000 if house.feeds.now else 0}


def test_boards_that_share_queries_show_what_each_shows_alone(house: House) -> None:
    boards = [board(house, number) for number in range(40)]
    house.tick(11)
    for feed in boards:
        single = Feed(feed.id, feed.queries, 1000, feed.limits, feed.n - 1)
        single.check(house.head)
        single.advance(feed.n, moment.Moment(house.head, feed.limits))
        assert [frame.payload for frame in feed.frames] == [frame.payload for frame in single.frames]
