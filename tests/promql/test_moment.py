"""Queries asked at one moment: what they have in common is worked out once, and nothing is left behind."""

import gc
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from monitor.model import Columns
from monitor.promql import Limits, Moment, QueryError, parse
from monitor.promql.functions import FUNCTIONS
from monitor.promql.shared import Shared
from monitor.promql.windows import Windows
from monitor.storage import FINEST, Look, Matcher, Selection
from monitor.storage.head import Head
from tests.promql.stores import store


class Counted(Head):
    """Counts what is selected."""

    def __init__(self) -> None:
        super().__init__()
        self.selected: Counter[tuple[Matcher, ...]] = Counter()

    def select(
        self, matchers: tuple[Matcher, ...], start: int, end: int, look: Look = FINEST
    ) -> list[Selection]:
        self.selected[matchers] += 1
        return super().select(matchers, start, end, look)


@pytest.fixture
def counted() -> Counted:
    head = Counted()
    lines = """
    seconds{mode="user"} 1 2 3 4 5 6
    seconds{mode="idle"} 2 4 6 8 10 12
    up 1 1 1 1 1 1"""
    store(lines, 1000, head=head)
    return head


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each function was worked out."""
    found: Counter[str] = Counter()

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            found[name] += 1
            return function(*arguments)

        return call

    for name, function in FUNCTIONS.items():
        monkeypatch.setitem(FUNCTIONS, name, counting(name, function))
    return found


def ask(moment: Moment, text: str, at: int = 5000) -> list[float]:
    answer = moment.ask(parse(text), at, at, 1000)
    assert isinstance(answer, Columns)
    values: list[float] = answer.values[:, 0].tolist()
    return values


def test_a_query_is_evaluated_once_however_it_is_written(counted: Counted, calls: Counter[str]) -> None:
    moment = Moment(counted, Limits())
    first = moment.ask(parse("abs(up)"), 5000, 5000, 1000)
    assert moment.ask(parse("abs( up )"), 5000, 5000, 1000) is first
    assert calls["abs"] == 1
    assert moment.ask(parse("abs(up)"), 4000, 4000, 1000) is not first


def test_a_part_of_several_queries_is_worked_out_once(counted: Counted, calls: Counter[str]) -> None:
    moment = Moment(counted, Limits())
    assert ask(moment, "rate(seconds[5s])") == [1, 2]
    assert ask(moment, "sum(rate(seconds[5s]))") == [3]
    assert ask(moment, "1 - rate(seconds[5s])") == [0, -1]
    assert ask(moment, "rate(seconds[3s])") == [1, 2]
    assert calls["rate"] == 2


def test_queries_over_the_same_selector_share_what_is_selected(counted: Counted) -> None:
    moment = Moment(counted, Limits())
    for text in ("max_over_time(up[3s])", "sum(max_over_time(up[3s]))", "up", "sum(up)", "up + 1"):
        ask(moment, text)
    assert list(counted.selected.values()) == [2], "one for the windows, one for the newest"


def test_an_error_is_an_answer_that_is_found_once(counted: Counted, calls: Counter[str]) -> None:
    moment = Moment(counted, Limits(series=1))
    errors = [moment.ask(parse("abs(seconds)"), 5000, 5000, 1000) for _ in range(2)]
    assert isinstance(errors[0], QueryError)
    assert errors[0] is errors[1]
    assert errors[0].__traceback__ is None


def test_samples_that_another_query_looked_at_count_all_the_same(counted: Counted) -> None:
    limits = Limits(samples=15)
    moment = Moment(counted, limits)
    assert ask(moment, "rate(seconds[5s])") == [1, 2]
    for _ in range(2):
        answer = moment.ask(parse("rate(seconds[5s]) + on (mode) rate(seconds[6s])"), 5000, 5000, 1000)
        assert isinstance(answer, QueryError)
        assert "too many samples" in answer.message
        assert answer.position == 35


def test_what_is_kept_is_bounded_and_what_is_beyond_is_worked_out_anew(
    counted: Counted, calls: Counter[str]
) -> None:
    shared = Shared(5)
    for key in "abc":
        shared.keep(key, key.upper(), 2)
    assert [shared.get(key) for key in "abc"] == ["A", "B", None]
    moment = Moment(counted, Limits(points=4))
    for _ in range(3):
        assert ask(moment, "abs(seconds)") == [6, 12]
    assert calls["abs"] == 3


def test_a_moment_leaves_nothing_behind(counted: Counted) -> None:
    gc.collect()
    gc.disable()
    kinds = (Moment, Shared, Windows, Selection)
    before = [each for each in gc.get_objects() if isinstance(each, kinds)]
    try:
        moment = Moment(counted, Limits(series=2))
        for text in ("sum(rate(seconds[5s]))", "up + on () sum(seconds)", "{mode=~'.+'} + 1", "seconds / up"):
            moment.ask(parse(text), 5000, 5000, 1000)
        del moment
        left = [
            type(each)
            for each in gc.get_objects()
            if isinstance(each, kinds) and not any(each is old for old in before)
        ]
    finally:
        gc.enable()
    assert left == []
