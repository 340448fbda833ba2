"""A query over a grid of times gives the values that Prometheus gives."""

from __future__ import annotations

import pytest

from monitor.model import Block, Kind, Labels, Layout, Metric, Scrape
from monitor.promql import Limits, QueryError, evaluate, parse, select_samples, text_value, value_type
from monitor.storage.head import Head

TARGET: Labels = (("instance", "h"), ("job", "node"))


def head(series: dict[tuple[str, tuple[tuple[str, str], ...]], list[float | None]], step: int = 1000) -> Head:
    """A head with samples at 0, step, 2 step ...; None where the scrape lacks the series."""
    found = Head(window=10**12, rows=10**6)
    for row in range(max(map(len, series.values()))):
        entries = [(key, values[row]) for key, values in series.items() if row < len(values)]
        held = [(key, value) for key, value in entries if value is not None]
        layout = Layout([Metric(name, Kind.UNKNOWN, "").at(**dict(labels)) for (name, labels), _ in held])
        found.append(Scrape(row * step, TARGET, (Block(layout, [value for _, value in held]),)))
    return found


def test_a_rate_summed_by_label() -> None:
    store = head(
        {
            ("seconds", (("cpu", "0"), ("mode", "idle"))): [float(row) for row in range(20)],
            ("seconds", (("cpu", "1"), ("mode", "idle"))): [float(3 * row) for row in range(20)],
            ("seconds", (("cpu", "1"), ("mode", "user"))): [float(2 * row) for row in range(20)],
        }
    )
    found = evaluate(parse("sum by (mode) (rate(seconds[5s]))"), store, 10_000, 12_000, 1000)
    assert found.timestamps.tolist() == [10_000, 11_000, 12_000]
    assert found.series == ((("mode", "idle"),), (("mode", "user"),))
    assert found.values.tolist() == [[4.0] * 3, [2.0] * 3]


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


def test_a_range_selector_gives_raw_samples() -> None:
    store = head({("up", ()): [1.0, None, 0.0, 1.0]})
    [samples] = select_samples(parse("up[3s]"), store, 3000)
    assert dict(samples.labels) == {"__name__": "up", "instance": "h", "job": "node"}
    assert (samples.timestamps.tolist(), samples.values.tolist()) == ([2000, 3000], [0.0, 1.0])


@pytest.mark.parametrize("text", ["up[1m]", "'text'"])
def test_only_scalars_and_vectors_go_on_a_grid(text: str) -> None:
    with pytest.raises(QueryError, match="must be Scalar or instant Vector"):
        evaluate(parse(text), head({("up", ()): [1.0]}), 0, 0, 1)


def test_a_query_that_costs_too_much_is_refused() -> None:
    store = head({("up", (("a", str(number)),)): [1.0] * 100 for number in range(10)})
    for limits, message in [
        (Limits(series=9), "10 series, at most 9"),
        (Limits(points=999), "1000 values, at most 999"),
        (Limits(samples=999), "too many samples, at most 999"),
        (Limits(seconds=-1), "timed out"),
    ]:
        with pytest.raises(QueryError, match=message):
            evaluate(parse("sum(sum_over_time(up[5s]))"), store, 0, 99_000, 1000, limits)
