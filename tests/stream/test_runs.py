"""What is not sent of a time in which nothing was measured has no values: a law."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Block, Kind, Labels, Layout, Metric, Scrape
from monitor.promql import LOOK_BACK, Moment, depth_of, parse
from monitor.promql.errors import Limits, QueryError
from monitor.storage.head import Head
from monitor.stream.runs import Run, count, newest, runs
from tests.promql.rolled import HOUR, MINUTE, Rolled

TARGET: Labels = (("instance", "a"), ("job", "node"))
LOAD = Layout([Metric("load", Kind.GAUGE, "").at()])
QUERIES = ("load", "rate(load[5s])", "load offset 7m", "load offset -2m", "max_over_time(load[20m])")
STEP = 10_000


def stored(times: list[int]) -> Head:
    head = Head(1 << 60)
    for time in times:
        head.append(Scrape(time, TARGET, (Block(LOAD, (1.0,)),)))
    return head


def seconds(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high).map(lambda second: second * 1000)


@given(
    st.lists(seconds(1, 20_000), min_size=1, max_size=12, unique=True).map(sorted),
    st.lists(st.sampled_from(QUERIES), min_size=1, max_size=2),
    st.integers(0, 1000),
    st.integers(1, 1000),
)
def test_columns_that_are_left_out_have_no_values(
    times: list[int], texts: list[str], after: int, more: int
) -> None:
    head, queries = stored(times), [parse(text) for text in texts]
    first, last = after + 1, after + more
    kept = runs(head, depth_of(queries), first, last, STEP)
    asked = {number for run in kept for number in range(run[0], run[1] + 1)}
    assert len(asked) == count(kept)
    assert {last} <= asked <= set(range(first, last + 1))
    moment = Moment(head, Limits())
    for query in queries:
        found = moment.ask(query, first * STEP, last * STEP, STEP)
        assert not isinstance(found, QueryError)
        for values in found.values:
            told = {first + place for place, value in enumerate(values.tolist()) if value == value}
            assert told <= asked


def test_ten_years_are_a_few_columns() -> None:
    year = 365 * 86_400_000
    head = stored([year, 11 * year])
    first, last = year // 1000 + 1, 11 * year // 1000
    found = runs(head, depth_of([parse("load")]), first, last, 1000)
    assert found == [(first, first + LOOK_BACK // 1000 - 1), (last, last)]


def test_what_does_not_follow_from_the_time_is_in_every_column() -> None:
    head = stored([1000, HOUR])
    assert runs(head, depth_of([parse("load @ 1")]), 2, 3600, 1000) == [(2, 3600)]


def test_a_short_time_is_not_looked_at() -> None:
    nothing = Rolled(Head())
    assert runs(nothing, depth_of([parse("rate(load[5s])")]), 1, 1 + LOOK_BACK // MINUTE, MINUTE) == [(1, 6)]


def test_where_nothing_was_measured_at_all_the_last_column_is_there() -> None:
    assert runs(Head(), depth_of([parse("load")]), 1, 10_000, 1000) == [(10_000, 10_000)]


def test_the_newest_columns_are_kept() -> None:
    found: list[Run] = [(1, 10), (20, 25), (30, 30)]
    assert (newest(found, 100), newest(found, 17)) == (found, found)
    assert newest(found, 9) == [(9, 10), (20, 25), (30, 30)]
    assert newest(found, 7) == [(20, 25), (30, 30)]
    assert newest(found, 3) == [(24, 25), (30, 30)]
