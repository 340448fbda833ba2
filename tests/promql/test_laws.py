"""For any samples, any grid and any expression: the engine agrees with the reference, and with itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from monitor.model import Block, Columns, Kind, Labels, Layout, Metric, Scrape, Series
from monitor.promql import Limits, Moment, Query, QueryError, evaluate, parse
from monitor.storage.head import Head
from monitor.storage.register import stored_labels
from tests.promql.reference import Data, RefusedError, value_at

SERIES = [Series(name, (("x", x), ("y", y))) for name in "ab" for x in "12" for y in "pq"]
TARGETS: list[Labels] = [(("instance", "one"), ("job", "node")), (("instance", "two"), ("job", "node"))]


class Stored(NamedTuple):
    """The same samples twice: in a head, and as lists."""

    head: Head
    data: Data


class Shape(NamedTuple):
    """What the samples of a store are like; everything follows from it."""

    seed: int
    targets: int
    rows: int
    gaps: tuple[int, ...]
    missing: float
    values: tuple[Callable[[Random], float], ...]


class Grid(NamedTuple):
    start: int
    step: int
    steps: int

    @property
    def times(self) -> list[int]:
        return [self.start + self.step * number for number in range(self.steps)]


def store(scrapes: list[Scrape]) -> Stored:
    head = Head(window=10**12)
    data: Data = {}
    for scrape in scrapes:
        head.append(scrape)
        [block] = scrape.blocks
        row = {
            stored_labels(series, scrape.target): value
            for series, value in zip(block.layout.series, block.values, strict=True)
        }
        for labels in [*data, *(labels for labels in row if labels not in data)]:
            if set(scrape.target) <= set(labels):
                data.setdefault(labels, []).append((scrape.timestamp, row.get(labels)))
    return Stored(head, data)


def whole(random: Random) -> float:
    return float(random.randint(-2, 12))


def fraction(random: Random) -> float:
    return round(random.uniform(-100, 1e5), 3)


def odd(random: Random) -> float:
    return random.choice([math.nan, math.inf, -math.inf, -0.0, 0.1])


def metric(number: int) -> Metric:
    return Metric(SERIES[number].name, Kind.UNKNOWN, "")


def scrapes(shape: Shape) -> list[Scrape]:
    """Scrapes of that shape by time; drawing each sample from hypothesis would take most of the time."""
    random = Random(shape.seed)
    found = []
    for target in TARGETS[: shape.targets]:
        time = 0
        for _ in range(shape.rows):
            time += random.choice(shape.gaps)
            held = row(random, shape)
            layout = Layout([(metric(number), SERIES[number]) for number in held])
            found.append(Scrape(time, target, (Block(layout, list(held.values())),)))
    return sorted(found, key=lambda scrape: scrape.timestamp)


def row(random: Random, shape: Shape) -> dict[int, float]:
    numbers = [number for number in range(len(SERIES)) if random.random() >= shape.missing]
    return {number: random.choice(shape.values)(random) for number in numbers}


shapes = st.builds(
    Shape,
    seed=st.integers(0, 2**32),
    targets=st.integers(1, 2),
    rows=st.integers(0, 40),
    gaps=st.sampled_from([(1000,), (1000,), (1, 400, 900, 1500), (500, 1000, 60_000), (1000, 400_000)]),
    missing=st.sampled_from([0.0, 0.0, 0.1, 0.6]),
    values=st.sampled_from([(whole,), (whole, fraction), (fraction,), (whole, fraction, odd)]),
)
stores = shapes.map(scrapes).map(store)
grids = st.builds(
    Grid,
    st.integers(-5000, 60_000),
    st.one_of(st.just(1000), st.integers(1, 5000), st.just(100_000)),
    st.integers(1, 12),
)

selectors = st.builds(
    "{}{}{}".format,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", '{x="1"}', '{y!="p"}', '{x=~"1|3"}', '{y!~"p"}', '{z=""}', '{instance="one"}']),
    st.sampled_from(["", "", " offset 2s", " offset -1s", " @ 20"]),
)
windows = st.builds(
    "{}[{}]{}".format,
    st.sampled_from(["a", "b", 'b{x="1"}', '{__name__=~"a|b"}']),
    st.sampled_from(["1s", "2500ms", "5s", "30s", "1m", "10m"]),
    st.sampled_from(["", "", " offset 1500ms", " @ 12.5"]),
)
over = [
    *("rate", "increase", "delta", "irate", "idelta", "last_over_time", "present_over_time"),
    *(f"{name}_over_time" for name in ("avg", "min", "max", "sum", "count")),
]
scalars = st.sampled_from(["2", "-1", "0", "0.5", "time()", "scalar(a)", "(time() % 7)", "NaN", "Inf"])
groupings = st.sampled_from(
    ["", "by (x)", "by (x, y)", "without (y)", "by (__name__)", "without (instance, job)"]
)
matchings = st.sampled_from(
    [
        *(
            "",
            "on (x, y, instance)",
            "ignoring (y)",
            "on (x)",
            "on (instance) group_left ()",
            "ignoring () group_left ()",
        ),
        *("on (x) group_left (y)", "on (x, instance) group_right (y)", "on (x, y) group_right ()"),
    ]
)
comparisons = st.sampled_from(["==", "!=", ">", "<", ">=", "<="])
arithmetic = st.sampled_from(["+", "-", "*", "/", "%"])


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions around other expressions."""
    matching = st.builds(
        "{} {}".format, st.one_of(arithmetic, comparisons, comparisons.map("{} bool".format)), matchings
    )
    setting = st.builds(
        "{} {}".format,
        st.sampled_from(["and", "or", "unless"]),
        st.sampled_from(["", "on (x)", "ignoring (y)"]),
    )
    comparing = st.builds("{} {}".format, comparisons, st.sampled_from(["", "bool"]))
    return st.one_of(
        st.builds(
            "{} {} ({})".format, st.sampled_from(["sum", "avg", "min", "max", "count"]), groupings, inner
        ),
        st.builds("{}({})".format, st.sampled_from(["abs", "ceil", "floor", "round", "sqrt", "-"]), inner),
        st.builds("round({}, 0.5)".format, inner),
        st.builds("clamp({}, {}, {})".format, inner, scalars, scalars),
        st.builds("{}({}, 2)".format, st.sampled_from(["clamp_min", "clamp_max"]), inner),
        st.builds("({}) {} {}".format, inner, st.one_of(arithmetic, comparing), scalars),
        st.builds("{} {} ({})".format, scalars, arithmetic, inner),
        st.builds("({}) {} ({})".format, inner, st.one_of(matching, matching, setting), inner),
    )


leaves = st.one_of(
    selectors,
    st.builds("{}({})".format, st.sampled_from(over), windows),
    st.builds("{} {} ({}, {})".format, st.sampled_from(["topk", "bottomk"]), groupings, scalars, selectors),
    st.builds("vector({})".format, scalars),
)
shallow = st.one_of(leaves, deeper(leaves))
queries = st.one_of(shallow, deeper(shallow), scalars)


def expected(data: Data, query: Query, time: int) -> dict[Labels, float]:
    value = value_at(data, query.root, time)
    return {(): value} if isinstance(value, float) else dict(value)


def found(columns: Columns, place: int) -> dict[Labels, float]:
    return dict(zip(columns.series, columns.values[:, place].tolist(), strict=True))


def agree(one: float, other: float) -> bool:
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def run(query: Query, head: Head, grid: Grid) -> Columns | None:
    try:
        return evaluate(query, head, grid.start, grid.times[-1], grid.step)
    except QueryError:
        return None


@settings(max_examples=200)
@given(stores, queries, grids)
def test_the_engine_agrees_with_the_reference(stored: Stored, text: str, grid: Grid) -> None:
    query = parse(text)
    try:
        wanted = [expected(stored.data, query, time) for time in grid.times]
    except RefusedError:
        event("refused")
        assert run(query, stored.head, grid) is None
        return
    columns = run(query, stored.head, grid)
    assert columns is not None
    for place, values in enumerate(wanted):
        seen = found(columns, place)
        # What has no value is NaN in columns, or has no row at all.
        missing = {labels: math.nan for labels in seen if labels not in values}
        for labels, value in {**missing, **values}.items():
            assert agree(seen.get(labels, math.nan), value), (place, labels, value, seen.get(labels))


@settings(max_examples=200)
@given(stores, queries, grids)
def test_one_step_alone_has_the_same_bits_as_among_others(stored: Stored, text: str, grid: Grid) -> None:
    query = parse(text)
    whole = run(query, stored.head, grid)
    if whole is None:
        return
    for place, time in enumerate(grid.times):
        alone = found(evaluate(query, stored.head, time, time, grid.step), 0)
        among = found(whole, place)
        for labels in {**alone, **among}:
            bits = [np.float64(side.get(labels, math.nan)) for side in (alone, among)]
            assert bits[0].tobytes() == bits[1].tobytes() or np.isnan(bits).all(), (labels, bits)


@given(queries)
def test_the_normal_form_of_a_query_is_a_query_of_the_same_meaning(text: str) -> None:
    query = parse(text)
    again = parse(query.text)
    assert again.text == query.text


@given(stores, st.lists(st.tuples(queries, grids), min_size=1, max_size=6), st.sampled_from([0, 30, 10**6]))
def test_whatever_else_is_asked_at_a_moment_no_bit_of_an_answer_changes(
    stored: Stored, asked: list[tuple[str, Grid]], samples: int
) -> None:
    limits = Limits(samples=samples)
    moment = Moment(stored.head, limits)
    for text, grid in [*asked, *asked]:
        times = grid.start, grid.times[-1], grid.step
        answer, alone = moment.ask(parse(text), *times), outcome(parse(text), stored.head, times, limits)
        if isinstance(alone, QueryError):
            event("refused")
            assert isinstance(answer, QueryError)
            assert (answer.message, answer.position) == (alone.message, alone.position)
        else:
            assert isinstance(answer, Columns)
            assert answer.series == alone.series
            assert answer.values.tobytes() == alone.values.tobytes()


def outcome(query: Query, head: Head, times: tuple[int, int, int], limits: Limits) -> Columns | QueryError:
    try:
        return evaluate(query, head, *times, limits)
    except QueryError as error:
        return error


def bits(query: Query, head: Head, time: int) -> dict[Labels, bytes] | None:
    """The values at one instant, bit for bit; None where there is an error."""
    try:
        values = found(evaluate(query, head, time, time, 1000), 0)
    except QueryError:
        return None
    return {
        labels: np.float64(math.nan if value != value else value).tobytes()
        for labels, value in values.items()
    }


@settings(max_examples=100)
@given(shapes, queries.filter(lambda text: "@" not in text and "offset -" not in text))
def test_a_tick_evaluated_live_has_the_same_bits_when_it_is_history(shape: Shape, text: str) -> None:
    query, head, live = parse(text), Head(window=10**12), {}
    for scrape in scrapes(shape):
        head.append(scrape)
        live[scrape.timestamp] = bits(query, head, scrape.timestamp)
    for time, seen in live.items():
        assert bits(query, head, time) == seen, time
