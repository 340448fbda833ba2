"""What an evaluation gives back, what it refuses, and what it may cost."""

from __future__ import annotations

from itertools import count

import pytest

from monitor.promql import Limits, QueryError, evaluate, parse, select_samples, text_value, value_type
from monitor.storage import FINEST, Look, Matcher, Selection, TooManyError
from monitor.storage.head import Head
from tests.promql.stores import labels, store


def test_a_rate_summed_by_label() -> None:
    held = store(
        """
        seconds{cpu="0", mode="idle"} 0+1x20
        seconds{cpu="1", mode="idle"} 0+3x20
        seconds{cpu="1", mode="user"} 0+2x20
        """,
        step=1000,
    )
    found = evaluate(parse("sum by (mode) (rate(seconds[5s]))"), held, 10_000, 12_999, 1000)
    assert found.timestamps.tolist() == [10_000, 11_000, 12_000]
    assert found.series == ((("mode", "idle"),), (("mode", "user"),))
    assert found.values.tolist() == [[4.0] * 3, [2.0] * 3]


def test_a_scalar_is_one_series_without_labels() -> None:
    found = evaluate(parse("time() + 1"), store("up 1"), 0, 2000, 1000)
    assert (found.series, found.values.tolist()) == (((),), [[1.0, 2.0, 3.0]])


def test_series_without_a_value_are_left_out_and_the_rest_stay_the_same_object() -> None:
    held = store('up{a="x"} 1\nup{a="y"} 2')
    one = evaluate(parse("up > 1"), held, 0, 0, 1)
    assert one.series == (labels('up{a="y"}'),)
    assert evaluate(parse("up > 1"), held, 0, 0, 1).series is one.series


def test_the_kinds_of_values() -> None:
    kinds = {
        "up": "vector",
        "up + 1": "vector",
        "1 + time()": "scalar",
        "-scalar(up)": "scalar",
        "up[1m]": "matrix",
        "'x'": "string",
    }
    assert {text: value_type(parse(text)) for text in kinds} == kinds
    assert text_value(parse("'x'")) == "x"
    with pytest.raises(QueryError, match="expected a string"):
        text_value(parse("1"))


def test_a_range_selector_gives_raw_samples() -> None:
    held = store("up 1 _ 0 1\ngone 1", step=1000)
    [samples] = select_samples(parse("up[3s]"), held, 3000)
    assert samples.labels == labels("up")
    assert (samples.timestamps.tolist(), samples.values.tolist()) == ([2000, 3000], [0.0, 1.0])
    assert select_samples(parse("gone[3s]"), held, 3000) == []
    with pytest.raises(QueryError, match="expected a range selector"):
        select_samples(parse("up"), held, 3000)


@pytest.mark.parametrize(("text", "kind"), [("up[1m]", "range vector"), ("'text'", "string")])
def test_only_scalars_and_vectors_go_on_a_grid(text: str, kind: str) -> None:
    with pytest.raises(QueryError, match=f'invalid expression type "{kind}"'):
        evaluate(parse(text), store("up 1"), 0, 0, 1)


@pytest.mark.parametrize(
    ("start", "end", "step", "message"),
    [
        (0, 0, 0, "zero or negative query resolution step"),
        (1, 0, 1, "end timestamp must not be before start time"),
        (0, 11_000, 1, "exceeded maximum resolution of 11,000 points"),
        (-(10**300), 0, 10**299, "times must be within"),
    ],
)
def test_a_grid_that_is_none_is_refused(start: int, end: int, step: int, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        evaluate(parse("up"), store("up 1"), start, end, step)


@pytest.mark.parametrize(
    ("limits", "message", "position"),
    [
        (Limits(series=9), "query has 10 series, at most 9", 18),
        (Limits(points=999), "query has 1000 values, at most 999", 18),
        (Limits(samples=999), "too many samples, at most 999", 18),
        (Limits(samples=4999), "too many samples, at most 4999", 18),
        (Limits(seconds=2.5), "timed out after 2.5 s", None),
    ],
)
def test_a_query_that_costs_too_much_is_refused(limits: Limits, message: str, position: int | None) -> None:
    held = store("\n".join(f'up{{a="{number}"}} 1+0x99' for number in range(10)), step=1000)
    ticks = count()
    query = parse("sum(sum_over_time(up[5s]))")
    with pytest.raises(QueryError, match=message) as caught:
        evaluate(query, held, 0, 99_000, 1000, limits, clock=lambda: float(next(ticks)))
    assert caught.value.position == position


def test_series_that_replace_each_other_may_not_pair_without_bound() -> None:
    runs = "\n".join(f'run{{a="{number}"}} {"_ " * number} 1' for number in range(9))
    jobs = "\n".join(f'job{{b="{number}"}} 1 1 1 1 1 1 1 1 1' for number in range(9))
    held = store(f"{runs}\n{jobs}", step=1000)
    query = parse("job * on () group_left (a) run")
    assert len(evaluate(query, held, 0, 8000, 1000, Limits(series=81)).series) == 81
    with pytest.raises(QueryError, match="query has 81 series, at most 80"):
        evaluate(query, held, 0, 8000, 1000, Limits(series=80))


def test_selectors_of_a_binary_operator_together_stay_within_the_limit() -> None:
    held = store("\n".join(f'up{{a="{number}"}} 1' for number in range(6)))
    with pytest.raises(QueryError, match="query has 12 series, at most 10"):
        evaluate(parse("up or (up offset -1s * 0)"), held, 0, 0, 1, Limits(series=10))


class Large(Head):
    """Has more than anybody may read at once."""

    def select(
        self, matchers: tuple[Matcher, ...], start: int, end: int, look: Look = FINEST
    ) -> list[Selection]:
        raise TooManyError(f"expected {look.most} at most")


@pytest.mark.parametrize("query", ["sum(up)", "sum(rate(up[1m]))"])
def test_what_would_fill_the_memory_is_refused_before_it_is_read(query: str) -> None:
    with pytest.raises(QueryError, match="too many samples, at most 999 are allowed") as refused:
        evaluate(parse(query), Large(), 0, 60_000, 1000, Limits(samples=999))
    assert str(refused.value.__cause__) == "expected 3996 at most"
