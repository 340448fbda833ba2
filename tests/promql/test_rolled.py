"""Months of past answer like the samples that they were, wherever the borders of rolled-up rows allow it."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Block, Columns, Kind, Layout, Metric, Scrape
from monitor.promql import Limits, evaluate, parse, select_samples
from monitor.promql.looks import HOUR, MINUTE, at_instants, in_windows
from monitor.promql.nodes import Selector
from monitor.storage import FINEST, Look, Storage
from monitor.storage.head import Head
from tests.promql.rolled import Rolled

FOLDS = [f"{name}_over_time" for name in ("min", "max", "sum", "count", "avg", "last", "present")]
HOURS = 5


def head(seed: int, gaps: tuple[int, ...], *, missing: float = 0.0) -> Head:
    """Five hours of a gauge and of two counters that are reset now and then; whole numbers, so that sums are
    the same in any order."""
    random = Random(seed)
    metrics = [Metric(name, Kind.COUNTER, "") for name in ("gauge", "one_total", "two_total")]
    held = Head(window=10**15, rows=10**6)
    time, totals = random.randint(1, 30_000), [0.0, 0.0]
    while time <= HOURS * HOUR:
        totals = [0.0 if random.random() < 0.02 else total + random.randint(0, 9) for total in totals]
        row = [float(random.randint(-50, 50)), *totals]
        kept = [number for number in range(3) if random.random() >= missing]
        layout = Layout([metrics[number].at() for number in kept])
        held.append(Scrape(time, (("job", "t"),), (Block(layout, [row[number] for number in kept]),)))
        time += random.choice(gaps)
    return held


heads = st.builds(
    head, st.integers(0, 2**32), st.sampled_from([(20_000,), (15_000, 30_000), (7_000, 45_000, 100_000)])
)
steady = st.builds(head, st.integers(0, 2**32), st.sampled_from([(20_000,), (7_000, 45_000)]))
gappy = st.builds(
    head,
    st.integers(0, 2**32),
    st.sampled_from([(20_000, 4_000_000), (30_000, 500_000)]),
    missing=st.sampled_from([0.0, 0.3]),
)


def values(storage: Storage, text: str, grid: tuple[int, int, int]) -> dict[object, list[float]]:
    found: Columns = evaluate(parse(text), storage, *grid)
    return dict(zip(found.series, found.values.tolist(), strict=True))


@settings(max_examples=15, deadline=None)
@given(
    held=st.one_of(heads, gappy),
    function=st.sampled_from(FOLDS),
    whole=st.sampled_from([MINUTE, HOUR]),
    step=st.integers(1, 3),
    length=st.integers(1, 3),
    start=st.integers(0, 4),
    cut=st.integers(0, HOURS),
)
def test_over_whole_windows_rolled_up_rows_tell_what_samples_do(
    held: Head, function: str, whole: int, step: int, length: int, start: int, cut: int
) -> None:
    grid = start * whole, min(start * whole + 40 * step * whole, HOURS * HOUR), step * whole
    # What is coarser than the question asks for cannot be had as if it were not.
    kept = Rolled(held, samples=cut * HOUR, minutes=cut * HOUR if whole == HOUR else 0)
    for name in ("gauge", "one_total"):
        query = f"{function}({name}[{length * whole}ms])"
        np.testing.assert_equal(values(kept, query, grid), values(held, query, grid))


@settings(max_examples=15, deadline=None)
@given(
    held=st.one_of(heads, gappy),
    function=st.sampled_from(FOLDS),
    at=st.integers(HOUR, HOURS * HOUR),
    length=st.integers(1000, 4 * HOUR),
)
def test_one_window_has_its_ends_from_samples_wherever_they_fall(
    held: Head, function: str, at: int, length: int
) -> None:
    query = f"{function}(gauge[{length}ms])"
    np.testing.assert_equal(values(Rolled(held), query, (at, at, 1)), values(held, query, (at, at, 1)))


def rise(held: Head, name: str, low: int, high: int) -> tuple[float, float]:
    """What a counter rose by from its last sample at `low` to its last at `high`, and the seconds between."""
    [samples] = select_samples(parse(f"{name}[{high + 1}ms]"), held, high)
    first = int(samples.timestamps.searchsorted(low, "right")) - 1
    risen = 0.0
    for before, value in pairwise(samples.values[max(first, 0) :].tolist()):
        risen += value if value < before else value - before
    return risen, int(samples.timestamps[-1] - samples.timestamps[max(first, 0)]) / 1000


@settings(max_examples=15, deadline=None)
@given(
    held=steady,
    whole=st.sampled_from([5 * MINUTE, HOUR]),
    length=st.integers(1, 3),
    samples=st.integers(0, HOURS - 1),
    minutes=st.integers(0, HOURS - 1),
)
def test_a_rise_is_the_sum_of_all_rises_resets_and_all_across_any_cut(
    held: Head, whole: int, length: int, samples: int, minutes: int
) -> None:
    minutes = minutes if whole == HOUR else 0
    kept = Rolled(held, samples=max(samples, minutes) * HOUR, minutes=minutes * HOUR)
    steps = range(length * whole + whole, (HOURS - 1) * HOUR + 1, whole)
    grid = steps.start, steps[-1], whole
    query = f"increase(one_total[{length * whole}ms])"
    [row] = values(kept, query, grid).values()
    for at, value in zip(steps, row, strict=True):
        risen, seconds = rise(held, "one_total", at - length * whole, at)
        assert value == pytest.approx(risen * length * whole / 1000 / seconds, rel=1e-9)


@settings(max_examples=10, deadline=None)
@given(held=heads, cut=st.integers(0, HOURS))
def test_the_newest_at_whole_hours_is_the_same_in_every_resolution(held: Head, cut: int) -> None:
    grid = HOUR, HOURS * HOUR - HOUR, HOUR
    kept = Rolled(held, samples=cut * HOUR, minutes=cut * HOUR)
    np.testing.assert_equal(values(kept, "gauge", grid), values(held, "gauge", grid))


def test_a_gap_of_the_rows_is_a_gap() -> None:
    held = Head(window=10**15)
    metric = Metric("up", Kind.GAUGE, "")
    for time in (*range(1000, 2 * HOUR, 60_000), *range(5 * HOUR - 600_000, 7 * HOUR, 60_000)):
        held.append(Scrape(time, (), (Block(Layout([metric.at()]), [1.0]),)))
    [row] = values(Rolled(held, samples=6 * HOUR, minutes=6 * HOUR), "up", (0, 6 * HOUR, HOUR)).values()
    np.testing.assert_array_equal(row, [np.nan, 1, 1, np.nan, np.nan, 1, 1])


def test_windows_shorter_than_the_rows_that_are_left_tell_of_the_newest_row() -> None:
    kept = Rolled(head(7, (20_000,)), samples=HOURS * HOUR, minutes=HOURS * HOUR)
    grid = 2 * HOUR, 3 * HOUR - 300_000, 300_000
    [most] = values(kept, "max_over_time(gauge[5m])", grid).values()
    [hour] = values(kept, "max_over_time(gauge[1h])", (2 * HOUR, 2 * HOUR, 1)).values()
    assert most == hour * 12
    [rate] = values(kept, "rate(one_total[5m])", grid).values()
    risen, seconds = rise(kept.head, "one_total", HOUR, 2 * HOUR)
    assert rate == pytest.approx([risen / seconds] * 12)
    [count] = values(kept, "count_over_time(gauge[5m])", grid).values()
    assert np.nansum(count) == 180, "and nothing is counted twice"


def test_the_newest_of_a_time_that_only_hours_are_left_of() -> None:
    kept = Rolled(head(7, (20_000,)), samples=HOURS * HOUR, minutes=HOURS * HOUR)
    [[last]] = values(kept, "gauge", (2 * HOUR, 2 * HOUR, 1)).values()
    [[later]] = values(kept, "gauge", (2 * HOUR + 1_800_000, 2 * HOUR + 1_800_000, 1)).values()
    assert last == later


@pytest.mark.parametrize(
    ("grid", "look"),
    [
        ((7, 7, 1000), FINEST),
        ((0, 10 * HOUR, 1000), Look(250)),
        ((0, 10 * HOUR, MINUTE), Look(MINUTE)),
        ((0, 10 * HOUR, 90 * MINUTE), Look(MINUTE)),
        ((0, 10 * HOUR, 2 * HOUR), Look(HOUR)),
        ((MINUTE, 10 * HOUR, HOUR), Look(MINUTE)),
        ((7, 10 * HOUR, HOUR), Look(15 * MINUTE)),
    ],
)
def test_an_instant_is_looked_up_in_rows_that_end_there(grid: tuple[int, int, int], look: Look) -> None:
    assert at_instants(Selector(()), grid) == look


@pytest.mark.parametrize(
    ("grid", "length", "grain"),
    [
        ((7, 7, 1000), 30 * MINUTE, 30 * MINUTE),
        ((0, HOUR, 1000), HOUR, 1000),
        ((0, 9 * HOUR, MINUTE), MINUTE, MINUTE),
        ((0, 9 * HOUR, HOUR), HOUR, HOUR),
        ((7, 9 * HOUR, HOUR), HOUR, 15 * MINUTE),
        ((0, 9 * HOUR, HOUR), 5 * MINUTE, 75_000),
    ],
)
def test_a_window_is_of_rows_that_end_where_it_does(
    grid: tuple[int, int, int], length: int, grain: int
) -> None:
    assert in_windows(Selector(()), grid, length, "max_over_time") == Look(grain, ("max",))
    assert in_windows(Selector(()), grid, length, "irate") == FINEST


def test_rows_looked_at_count_not_what_they_stand_for() -> None:
    kept = Rolled(head(7, (20_000,)))
    query, limits = parse("max_over_time(gauge[1h])"), Limits(samples=12)
    assert evaluate(query, kept, HOUR, 4 * HOUR, HOUR, limits).values.shape == (1, 4)


def test_the_first_step_has_its_row_where_only_hours_are_left() -> None:
    kept = Rolled(head(7, (20_000,)), samples=HOURS * HOUR, minutes=HOURS * HOUR)
    [row] = values(kept, "gauge", (2 * HOUR, 4 * HOUR, HOUR)).values()
    assert not np.isnan(row).any()
