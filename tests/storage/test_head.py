"""The head keeps what was scraped, aligned, bounded, and tells absence from value."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Block, Kind, Labels, Layout, Metric, Scrape
from monitor.storage import Matcher, OutOfOrderError, is_stale, table
from monitor.storage.head import Head

TARGET: Labels = (("instance", "web"), ("job", "node"))
LOAD = Metric("node_load1", Kind.GAUGE, "Load.")
CPU = Metric("node_cpu_seconds_total", Kind.COUNTER, "Seconds.")
NAMED_CPU = (Matcher("__name__", "=", "node_cpu_seconds_total"),)
EVERYTHING = (Matcher("job", "=~", ".+"),)


def cpus(*names: str) -> Layout:
    return Layout([CPU.at(cpu=name) for name in names])


def scrape(timestamp: int, *blocks: tuple[Layout, list[float]], target: Labels = TARGET) -> Scrape:
    return Scrape(timestamp, target, tuple(Block(layout, values) for layout, values in blocks))


Held = dict[str, list[float | None]]


def held(head: Head, label: str = "cpu") -> Held:
    """The samples of every series by the value of one label; None where there is none."""
    found: Held = {}
    for selection in head.select(EVERYTHING, 0, 10**15):
        stale = is_stale(selection.values)
        for place, labels in enumerate(selection.series.labels):
            rows = zip(selection.values[:, place].tolist(), stale[:, place].tolist(), strict=True)
            found[dict(labels)[label]] = [None if absent else value for value, absent in rows]
    return found


def test_a_sample_comes_back_with_the_labels_of_its_target() -> None:
    head = Head()
    head.append(scrape(1000, (cpus("0", "1"), [1.5, 2.5])))
    [selection] = head.select(NAMED_CPU, 0, 2000)
    assert selection.timestamps.tolist() == [1000]
    assert selection.values.tolist() == [[1.5, 2.5]]
    assert selection.series.labels[1] == (
        ("__name__", "node_cpu_seconds_total"),
        ("cpu", "1"),
        ("instance", "web"),
        ("job", "node"),
    )


def test_a_label_that_the_target_hides_is_kept_under_another_name() -> None:
    head = Head()
    head.append(scrape(1, (Layout([LOAD.at(job="other", exported_job="first", empty="")]), [1.0])))
    [labels] = head.series(EVERYTHING, 0, 10)
    assert dict(labels) == {
        "__name__": "node_load1",
        "instance": "web",
        "job": "node",
        "exported_job": "first",
        "exported_exported_job": "other",
    }


def test_the_range_includes_both_ends() -> None:
    head, layout = Head(), cpus("0")
    for time in (1000, 2000, 3000, 4000):
        head.append(scrape(time, (layout, [time / 1000])))
    [selection] = head.select(NAMED_CPU, 2000, 3000)
    assert selection.values.tolist() == [[2.0], [3.0]]
    assert head.select(NAMED_CPU, 2001, 2999) == []


def test_a_series_that_vanishes_is_stale_at_once_and_freed_when_its_rows_are_out_of_the_window() -> None:
    head, both, one = Head(window=10_000), cpus("0", "1"), cpus("0")
    head.append(scrape(1000, (both, [1.0, 2.0])))
    head.append(scrape(2000, (one, [3.0])))
    assert held(head) == {"0": [1.0, 3.0], "1": [2.0, None]}
    assert head.series(EVERYTHING, 2000, 2000) == [head.select(EVERYTHING, 0, 9000)[0].series.labels[0]]
    for second in range(3, 300):
        head.append(scrape(1000 * second, (one, [3.0])))
    assert set(held(head)) == {"0"}
    assert head.series_count == 1


def test_a_freed_column_is_used_again_and_shows_nothing_of_its_past() -> None:
    head = Head(window=10_000, series=3)
    for second in range(1, 1000):
        head.append(scrape(1000 * second, (cpus("0", f"run{second // 200}"), [1.0, float(second)])))
    assert head.refused == 0
    samples = held(head)
    assert set(samples) == {"0", "run4"}
    assert samples["run4"] == [float(second) for second in range(990, 1000)]


def test_a_series_that_comes_later_has_no_past() -> None:
    head = Head()
    head.append(scrape(1000, (cpus("0"), [1.0])))
    head.append(scrape(2000, (cpus("0", "1"), [2.0, 5.0])))
    assert held(head) == {"0": [1.0, 2.0], "1": [None, 5.0]}


def test_of_two_entries_of_one_series_the_last_wins() -> None:
    head = Head()
    head.append(scrape(1000, (cpus("0"), [1.0]), (cpus("1", "0"), [2.0, 3.0])))
    assert held(head) == {"0": [3.0], "1": [2.0]}


def test_not_a_number_is_a_value() -> None:
    head = Head()
    head.append(scrape(1000, (cpus("0"), [math.nan])))
    assert not is_stale(head.select(NAMED_CPU, 0, 2000)[0].values).any()
    assert len(head.series(NAMED_CPU, 0, 2000)) == 1


def test_a_scrape_that_is_not_newer_is_refused_and_changes_nothing() -> None:
    head, layout = Head(), cpus("0")
    head.append(scrape(1000, (layout, [1.0])))
    with pytest.raises(OutOfOrderError, match="instance=web, job=node at 1000 ms, expected later than 1000"):
        head.append(scrape(1000, (layout, [2.0])))
    assert held(head) == {"0": [1.0]}


def test_a_block_that_does_not_fit_its_layout_is_named() -> None:
    head = Head()
    with pytest.raises(ValueError, match=r"block with 1 values, expected 2 .*node_cpu_seconds_total"):
        head.append(scrape(1000, (cpus("0", "1"), [1.0])))


def test_rows_leave_when_they_are_as_old_as_the_window() -> None:
    head, layout = Head(window=5000), cpus("0")
    for second in range(1, 2000):
        head.append(scrape(1000 * second, (layout, [float(second)])))
    assert held(head)["0"] == [1995.0, 1996.0, 1997.0, 1998.0, 1999.0]
    assert head.oldest() == 1_995_000


def test_rows_are_bounded_however_fast_they_come() -> None:
    head, layout = Head(rows=100), cpus("0")
    for millisecond in range(1, 1000):
        head.append(scrape(millisecond, (layout, [0.0])))
    assert len(held(head)["0"]) == 100


def test_series_beyond_the_limit_are_refused_counted_and_hurt_nobody_else() -> None:
    head, layout = Head(target_series=2), cpus("0", "1", "2")
    for time in (1000, 2000):
        head.append(scrape(time, (layout, [1.0, 2.0, 3.0]), (cpus("1"), [7.0])))
    assert held(head) == {"0": [1.0, 1.0], "1": [7.0, 7.0]}
    assert head.refused == 2


def test_a_refused_series_gets_its_place_when_others_leave() -> None:
    head, wide = Head(window=5000, series=2), cpus("0", "1")
    late = cpus("0", "2")
    head.append(scrape(1000, (wide, [1.0, 2.0])))
    for second in range(2, 200):
        head.append(scrape(1000 * second, (late, [1.0, 9.0])))
    assert held(head)["2"][-1] == 9.0
    assert 0 < head.refused < 198


def test_the_limit_of_all_targets_holds_over_targets() -> None:
    head = Head(series=1)
    other: Labels = (("instance", "db"), ("job", "node"))
    head.append(scrape(1000, (cpus("0"), [1.0])))
    head.append(scrape(1000, (cpus("0", "1"), [1.0, 2.0]), target=other))
    assert head.refused == 2
    assert head.series_count == 1


def test_a_target_that_falls_silent_is_dropped_with_its_last_row() -> None:
    head, layout = Head(window=16_000, series=2), cpus("0")
    other: Labels = (("instance", "db"), ("job", "node"))
    head.append(scrape(1000, (layout, [1.0]), target=other))
    for second in range(2, 20):
        head.append(scrape(1000 * second, (layout, [1.0])))
    assert {dict(labels)["instance"] for labels in head.series(EVERYTHING, 0, 10**9)} == {"web"}
    assert head.series_count == 1


def test_the_same_series_set_is_given_out_while_no_series_came_or_went() -> None:
    head, layout = Head(), cpus("0")
    head.append(scrape(1000, (layout, [1.0])))
    first = head.select(NAMED_CPU, 0, 9000)[0].series
    head.append(scrape(2000, (cpus("0"), [1.0])))
    assert head.select(NAMED_CPU, 0, 9000)[0].series is first
    head.append(scrape(3000, (layout, [1.0]), (Layout([LOAD.at()]), [1.0])))
    assert head.select(NAMED_CPU, 0, 9000)[0].series is first, "another metric does not disturb this selector"
    head.append(scrape(4000, (cpus("0", "1"), [1.0, 2.0])))
    assert len(head.select(NAMED_CPU, 0, 9000)[0].series) == 2


def test_selectors_are_remembered_in_bounded_number() -> None:
    head = Head()
    head.append(scrape(1000, (cpus("0"), [1.0])))
    first = head.select(NAMED_CPU, 0, 9000)[0].series
    for number in range(300):
        head.select((Matcher("cpu", "=", str(number)),), 0, 9000)
    assert head.select(NAMED_CPU, 0, 9000)[0].series is not first


def test_rows_given_out_do_not_change_afterwards() -> None:
    head, layout = Head(window=4000), cpus("0", "1")
    head.append(scrape(1000, (layout, [1.0, 2.0])))
    [selection] = head.select(NAMED_CPU, 0, 9000)
    before = selection.values.copy()
    for second in range(2, 500):
        head.append(scrape(1000 * second, (cpus("0", f"n{second}"), [0.0, 0.0])))
    assert np.array_equal(selection.values, before)


def test_a_large_buffer_is_replaced_without_a_copy_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "AT_ONCE", 0)
    head, layout = Head(window=400_000), cpus(*map(str, range(50)))
    moved: list[int] = []
    copy = table.Table._copy

    def counted(self: table.Table, until: int) -> None:
        moved.append(until - self._copied)
        copy(self, until)

    monkeypatch.setattr(table.Table, "_copy", counted)
    for second in range(1, 2000):
        head.append(scrape(1000 * second, (layout, [float(second)] * 50)))
    assert held(head)["49"] == [float(second) for second in range(1600, 2000)]
    assert max(moved[-500:]) <= 8


def test_columns_are_given_back_after_a_burst() -> None:
    head = Head(window=5000)
    head.append(scrape(1000, (cpus(*map(str, range(3000))), [0.0] * 3000)))
    wide = head.memory
    for second in range(2, 200):
        head.append(scrape(1000 * second, (cpus("0"), [float(second)])))
    assert head.memory < wide / 10
    assert held(head) == {"0": [195.0, 196.0, 197.0, 198.0, 199.0]}


@pytest.mark.parametrize(
    ("matcher", "found"),
    [
        (Matcher("cpu", "=", "1"), {"1"}),
        (Matcher("cpu", "!=", "1"), {"0", "10"}),
        (Matcher("cpu", "=~", "1.*"), {"1", "10"}),
        (Matcher("cpu", "=~", "1"), {"1"}),
        (Matcher("cpu", "!~", "1.*"), {"0"}),
        (Matcher("none", "=", ""), {"0", "1", "10"}),
        (Matcher("none", "!=", ""), set()),
        (Matcher("none", "=~", ".*"), {"0", "1", "10"}),
        (Matcher("instance", "=", "elsewhere"), set()),
    ],
)
def test_matchers_choose(matcher: Matcher, found: set[str]) -> None:
    head = Head()
    head.append(scrape(1000, (cpus("0", "1", "10"), [0.0, 0.0, 0.0])))
    names = {dict(labels)["cpu"] for labels in head.series((*NAMED_CPU, matcher), 0, 2000)}
    assert names == found


def test_a_pattern_matches_over_lines() -> None:
    assert Matcher("a", "=~", "x.y").matches("x\ny")


@pytest.mark.parametrize("pattern", ["(", "a**", r"(?=a)", r"\w{900}" * 100, "\ud800"])
def test_a_pattern_that_is_none_says_why(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Matcher("a", "=~", pattern)


def test_metadata_names_what_is_held() -> None:
    head = Head(window=5000)
    assert head.oldest() is None
    head.append(scrape(1000, (cpus("0"), [1.0]), (Layout([LOAD.at()]), [1.0])))
    assert head.metadata() == {CPU.name: CPU, LOAD.name: LOAD}
    for second in range(2, 200):
        head.append(scrape(1000 * second, (cpus("0"), [1.0])))
    assert head.metadata() == {CPU.name: CPU}


steps = st.lists(
    st.tuples(st.integers(1, 4000), st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 99))),
    max_size=120,
)


@pytest.mark.parametrize("at_once", [0, table.AT_ONCE])
@given(history=steps)
def test_the_head_holds_exactly_the_samples_of_its_window(
    at_once: int, history: list[tuple[int, dict[str, int]]]
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(table, "AT_ONCE", at_once)
        patched.setattr(table, "SPARE", 3)
        for found, expected in walked(history):
            assert found == expected


@given(history=steps, cut=st.integers(0, 120))
def test_rows_that_come_back_at_once_are_held_as_if_they_came_one_by_one(
    history: list[tuple[int, dict[str, int]]], cut: int
) -> None:
    layout = cpus(*"abcdefgh")
    times = np.cumsum([pause for pause, _ in history], dtype=np.int64)
    values = np.array([[float(row.get(name, -1)) for name in "abcdefgh"] for _, row in history])
    head, other = (Head(window=30_000, rows=50, target_series=7) for _ in range(2))
    rows = list(zip(times.tolist(), values.tolist(), strict=True))
    for time, row in rows:
        head.append(scrape(time, (layout, row)))
    for time, row in rows[:cut]:
        other.append(scrape(time, (layout, row)))
    if rows[cut:]:
        other.restore(TARGET, layout, times[cut:], values[cut:])
    for each in (head, other):
        each.append(scrape(200_000_000 if cut % 2 else sum(times[-1:].tolist()) + 1, (layout, [1.0] * 8)))
    assert held(head) == held(other)
    assert head.refused == other.refused
    assert [each.timestamps.tolist() for each in head.select(EVERYTHING, 0, 10**15)] == [
        each.timestamps.tolist() for each in other.select(EVERYTHING, 0, 10**15)
    ]


def walked(history: list[tuple[int, dict[str, int]]]) -> Iterator[tuple[Held, Held]]:
    """Append row by row: all that is held after each, and all that should be."""
    head, time = Head(window=30_000), 0
    kept: list[tuple[int, dict[str, int]]] = []
    for pause, samples in history:
        time += pause
        head.append(scrape(time, (cpus(*samples), [float(value) for value in samples.values()])))
        kept = [row for row in [*kept, (time, samples)] if row[0] > time - 30_000]
        names = {name for _, row in kept for name in row}
        expected: Held = {name: [row.get(name) for _, row in kept] for name in names}
        found = held(head)
        yield {name: found[name] for name in found if found[name] != [None] * len(kept)}, expected
