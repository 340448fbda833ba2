"""Whatever is in files, not yet in files, or in the head: a read gives each moment once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.model import Block, Kind, Labels, Layout, Metric, Scrape
from monitor.storage import Look, Matcher, Selection, TooManyError, is_stale
from monitor.storage.contents import Chosen, Contents
from monitor.storage.head import Head
from monitor.storage.history import History
from monitor.storage.join import ascending
from monitor.storage.shelf import Shelf
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, RAW, SECOND, TIERS, Slab, Tier
from monitor.storage.volume import Volume
from tests.storage.slabs import (
    CPU,
    DATABASE,
    EVERYTHING,
    HEAT,
    START,
    WEB,
    entry,
    held,
    history,
    sample,
    slabs,
)

NAMED_CPU = (Matcher("__name__", "=", "cpu_seconds_total"),)
SECOND_SERIES = (Matcher("number", "=", "1"), Matcher("instance", "!=", "db"))
ALL_ASPECTS = HOURS.aspects


class Row(NamedTuple):
    """One row of a target, and where it is kept: in two places while it moves."""

    tier: Tier
    target: Labels
    time: int
    places: frozenset[str]


PLACES = {"raw": ["file", "open", "head"], "m1": ["file", "open"], "h1": ["file", "open"]}
REACHES = {"raw": (20 * SECOND, 60), "m1": (MINUTE, 130), "h1": (HOUR, 4)}


@st.composite
def runs(draw: st.DrawFn) -> list[Row]:
    """Rows that follow each other."""
    tier = draw(st.sampled_from(TIERS))
    places = draw(st.frozensets(st.sampled_from(PLACES[tier.name]), min_size=1))
    target = draw(st.sampled_from([WEB, WEB, DATABASE]))
    unit, most = REACHES[tier.name]
    first = draw(st.integers(-2, most))
    # Not all rows bear the end of their minute or hour.
    early = draw(st.sampled_from([0, 0, 1000, 19_999]))
    times = range(first, first + draw(st.integers(1, 12)))
    return [Row(tier, target, START + time * unit - early, places) for time in times]


rows = st.lists(runs(), max_size=8).map(lambda some: sorted({row for run in some for row in run}, key=repr))
SECONDS = st.one_of(st.integers(-200, 15_000), st.integers(-2, 250).map(lambda minutes: minutes * 60))


def kept(wanted: Iterable[Row], place: str) -> Iterator[Slab]:
    """The slabs of what is kept in a place."""
    for tier in TIERS:
        for target in (WEB, DATABASE):
            times = {
                row.time for row in wanted if (row.tier, row.target) == (tier, target) and place in row.places
            }
            yield from slabs(tier, target, times)


def head_of(wanted: Iterable[Row]) -> Head:
    head = Head(window=10**12)
    for target, time in sorted({(row.target, row.time) for row in wanted if "head" in row.places}):
        layout = Layout(
            (CPU, HEAT)[number % 2].at(number=str(number))
            for number in range(3)
            if sample(RAW, target, number, time)
        )
        values = [found[0] for number in range(3) if (found := sample(RAW, target, number, time))]
        head.append(Scrape(time, target, (Block(layout, values),)))
    return head


@contextmanager
def world(wanted: list[Row]) -> Iterator[History]:
    with TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder))
        for slab in kept(wanted, "file"):
            shelf.put(slab)
        loose = list(kept(wanted, "open"))
        yield History(
            shelf, lambda tier: [slab for slab in loose if slab.tier is tier], head_of(wanted).select
        )
        assert shelf.damage == []
        shelf.close()


def bucket(tier: Tier, time: int) -> tuple[int, int]:
    step = max(1, tier.step)
    high = -(-time // step) * step
    return high - step, high


def stored(row: Row) -> bool:
    """A row in which no series has a sample is a row of the head alone."""
    return "head" in row.places or any(sample(row.tier, row.target, number, row.time) for number in range(3))


class Given(NamedTuple):
    """A selection, told plainly."""

    times: list[int]
    values: dict[Labels, list[list[float] | None]]


def naive(
    wanted: list[Row], matchers: tuple[Matcher, ...], start: int, end: int, grain: int
) -> dict[Labels, Given]:
    """The resolutions in the order of preference; each row in the range that overlaps nothing yet.

    The head tells nothing of a target in which it knows no series that matches.
    """
    fit = [tier for tier in TIERS if tier.step <= grain]
    order = [*reversed(fit), *(tier for tier in TIERS if tier not in fit)]
    found = {}
    for target in (WEB, DATABASE):
        numbers = [number for number in range(3) if matches(matchers, entry(target, number).labels)]
        in_head = [row for row in wanted if row.target == target and "head" in row.places]
        known = any(sample(RAW, target, number, row.time) for row in in_head for number in numbers)
        told_of = [row for row in wanted if known or row.places != {"head"}]
        taken: dict[int, Tier] = {}
        for tier in order:
            spans = [bucket(other, time) for time, other in taken.items()]
            for row in told_of:
                low, high = bucket(tier, row.time)
                mine = row.tier is tier and row.target == target
                if mine and low >= start - 1 and high <= end and all(high <= a or low >= b for a, b in spans):
                    taken[row.time] = tier
        times = sorted(taken)
        values = {}
        for number in numbers:
            column = [sample(taken[time], target, number, time) for time in times]
            if any(column):
                values[entry(target, number).labels] = [
                    as_given(taken[time], cells) for time, cells in zip(times, column, strict=True)
                ]
        if values:
            found[target] = Given(times, values)
    return found


def matches(matchers: tuple[Matcher, ...], labels: Labels) -> bool:
    return all(matcher.matches(dict(labels).get(matcher.label, "")) for matcher in matchers)


def as_given(tier: Tier, cells: list[float] | None) -> list[float] | None:
    """All aspects; those of a sample are it, and one, and unknown."""
    if cells is None or tier.step:
        return cells
    return [cells[0]] * 4 + [1.0, -1.0]


def told(selections: list[Selection]) -> dict[Labels, Given]:
    found = {}
    for selection in selections:
        stale = is_stale(selection.values)
        times = selection.timestamps.tolist()
        values: dict[Labels, list[list[float] | None]] = {}
        for place, labels in enumerate(selection.series.labels):
            parts = selection.parts or {}
            values[labels] = [
                None
                if gone
                else [
                    plain(float(parts[aspect][row, place])) if parts else as_sample(aspect, value)
                    for aspect in ALL_ASPECTS
                ]
                for row, (gone, value) in enumerate(
                    zip(stale[:, place], selection.values[:, place].tolist(), strict=True)
                )
            ]
        found[selection.target] = Given(times, values)
    return found


def plain(value: float) -> float:
    return value if value == value else -1.0


def as_sample(aspect: str, value: float) -> float:
    return {"count": 1.0, "lost": -1.0}.get(aspect, value)


@example(
    wanted=[
        Row(RAW, WEB, START - SECOND, frozenset({"head"})),
        Row(RAW, WEB, START, frozenset({"file"})),
    ],
    matchers=SECOND_SERIES,
    ends=(0, -1, 0),
    grain=0,
)
@given(
    wanted=rows,
    matchers=st.sampled_from([EVERYTHING, NAMED_CPU, SECOND_SERIES]),
    ends=st.tuples(SECONDS, SECONDS, st.sampled_from([0, 1])),
    grain=st.sampled_from([0, 1, MINUTE, 5 * MINUTE, HOUR, 24 * HOUR]),
)
def test_a_read_gives_what_a_naive_one_does(
    wanted: list[Row], matchers: tuple[Matcher, ...], ends: tuple[int, int, int], grain: int
) -> None:
    wanted = [row for row in wanted if stored(row)]
    low, high = START + min(ends[:2]) * SECOND + ends[2], START + max(ends[:2]) * SECOND
    with world(wanted) as past:
        found = past.select(matchers, low, high, Look(grain, ALL_ASPECTS))
        assert told(found) == naive(wanted, matchers, low, high, grain)
        for selection in found:
            assert selection.timestamps.tolist() == sorted(set(selection.timestamps.tolist()))
        assert past.oldest() == min((row.time for row in wanted), default=None)


@given(
    wanted=rows,
    matchers=st.sampled_from([EVERYTHING, NAMED_CPU, SECOND_SERIES]),
    ends=st.tuples(SECONDS, SECONDS, st.sampled_from([0, 1])),
)
def test_series_are_those_of_all_rows_that_tell_of_the_range_alone(
    wanted: list[Row], matchers: tuple[Matcher, ...], ends: tuple[int, int, int]
) -> None:
    low, high = START + min(ends[:2]) * SECOND + ends[2], START + max(ends[:2]) * SECOND
    within = [row for row in wanted if bucket(row.tier, row.time)[0] >= low - 1]
    within = [row for row in within if bucket(row.tier, row.time)[1] <= high]
    expected = {
        entry(row.target, number).labels
        for row in within
        for number in range(3)
        if sample(row.tier, row.target, number, row.time)
    }
    with world([row for row in wanted if stored(row)]) as past:
        found = past.series(matchers, low, high)
    assert len(found) == len(set(found))
    assert set(found) == {
        labels
        for labels in expected
        if all(matcher.matches(dict(labels).get(matcher.label, "")) for matcher in matchers)
    }


@example(
    wanted=[
        Row(MINUTES, WEB, START - SECOND, frozenset({"file"})),
        Row(RAW, WEB, START - SECOND, frozenset({"head"})),
        Row(RAW, WEB, START, frozenset({"file"})),
    ],
    ends=(0, 0, 0),
)
@given(wanted=rows, ends=st.tuples(SECONDS, SECONDS, st.sampled_from([0, 1])))
def test_it_was_measured_where_rows_are_and_as_far_as_they_stand_for(
    wanted: list[Row], ends: tuple[int, int, int]
) -> None:
    wanted = [row for row in wanted if stored(row)]
    low, high = START + min(ends[:2]) * SECOND + ends[2], START + max(ends[:2]) * SECOND
    finest = {row.time: min(other.tier.step for other in wanted if other.time == row.time) for row in wanted}
    spans = {(time - step, time + step) for time, step in finest.items()}
    with world(wanted) as past:
        found = [(first, last) for first, last in past.measured(low, high).tolist()]
    assert sorted(found) == sorted((first, last) for first, last in spans if last >= low and first <= high)


def test_series_of_a_long_range_are_told_by_names_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(HOURS, WEB, range(START + HOUR, START + 3 * HOURS.slot + 1, HOUR)))
    asked: list[int] = []
    cells = Volume.cells

    def counted(volume: Volume, contents: Contents, wanted: dict[int, int]) -> dict[int, tuple[object, ...]]:
        asked.extend(wanted)
        return cells(volume, contents, wanted)

    monkeypatch.setattr(Volume, "cells", counted)
    found = history(shelf).series(EVERYTHING, START, START + 3 * HOURS.slot)
    assert set(found) == {entry(WEB, number).labels for number in (1, 2)}
    assert asked == []
    shelf.close()


def test_names_of_what_is_not_wanted_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, range(START + 1000, START + 20 * MINUTE + 1, 1000)))
    shelf.put(*slabs(MINUTES, WEB, range(START + MINUTE, START + 20 * MINUTE + 1, MINUTE)))
    read: list[Tier] = []
    choose = Contents.choose

    def counted(contents: Contents, *arguments: Any) -> Chosen:
        read.append(contents.tier)
        return choose(contents, *arguments)

    monkeypatch.setattr(Contents, "choose", counted)
    past = history(shelf)
    past.select(EVERYTHING, START + 1, START + 20 * MINUTE)
    assert read == [RAW]
    past.select(EVERYTHING, START + 1, START + 20 * MINUTE, Look(MINUTE))
    assert read == [RAW, MINUTES]
    # What comes after the newest sample might be in minutes alone.
    past.select(EVERYTHING, START + 1, START + 22 * MINUTE)
    assert read == [RAW, MINUTES, RAW, MINUTES]


def test_what_is_asked_for_again_has_the_same_series(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, range(START + 1000, START + 60_000, 1000)))
    past = history(shelf)
    [first] = past.select(NAMED_CPU, START, START + 30_000)
    [second] = past.select(NAMED_CPU, START + 10_000, START + 50_000)
    assert first.series is second.series
    shelf.close()


def test_a_range_of_minutes_is_made_of_minutes_and_ends_in_samples(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    minutes = range(START + MINUTE, START + 10 * MINUTE + 1, MINUTE)
    shelf.put(*slabs(MINUTES, WEB, minutes, 2))
    shelf.put(*slabs(RAW, WEB, range(START + 1000, START + 12 * MINUTE, 1000), 2))
    [selection] = history(shelf).select(
        EVERYTHING, START + 30_500, START + 10 * MINUTE + 2500, Look(MINUTE, ("max",))
    )
    times = selection.timestamps.tolist()
    assert times[:30] == list(range(START + 31_000, START + MINUTE + 1, 1000))
    assert times[30:39] == list(minutes)[1:]
    assert times[39:] == [START + 10 * MINUTE + 1000, START + 10 * MINUTE + 2000]
    assert selection.reach == MINUTE
    shelf.close()


def test_samples_alone_have_no_parts_and_reach_no_further_than_themselves(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, [START + 1000, START + 2000]))
    [selection] = history(shelf).select(EVERYTHING, START, START + 5000, Look(HOUR, ("max",)))
    assert (selection.reach, selection.parts) == (0, None)
    shelf.close()


def test_a_series_that_is_not_there_any_more_is_absent_in_the_rows_that_follow(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    [early, late] = slabs(RAW, WEB, [START + 1000, START + RAW.slot + 1000])
    shelf.put(early, late._replace(entries=late.entries[:1], values=late.values[:, :, :1]))
    name = (Matcher("number", "=", "1"),)
    [selection] = history(shelf).select(name, START, START + 2 * RAW.slot)
    assert selection.timestamps.tolist() == [START + 1000, START + RAW.slot + 1000]
    assert is_stale(selection.values)[:, 0].tolist() == [False, True]
    shelf.close()


def test_series_are_those_with_a_sample_in_the_range(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, [START + 1000, START + 4000, START + 5000]))
    absent = [number for number in range(3) if sample(RAW, WEB, number, START + 4000) is None]
    found = history(shelf).series(EVERYTHING, START + 4000, START + 4000)
    assert found == [entry(WEB, number).labels for number in range(3) if number not in absent]
    assert history(shelf).series(EVERYTHING, START + 6000, START + 7000) == []
    shelf.close()


def test_metadata_tells_of_every_metric(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, [START + 1000, START + 2000]))
    assert history(shelf).metadata() == {"cpu_seconds_total": CPU, "heat_celsius": HEAT}
    shelf.close()


def test_the_past_takes_no_scrapes(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="expected an append to the store itself"):
        history(Shelf(tmp_path)).append(Scrape(1, WEB, ()))


def test_parts_of_a_histogram_are_found_by_their_own_names(tmp_path: Path) -> None:
    metric = Metric("took_seconds", Kind.HISTOGRAM, "Time.")
    [slab] = slabs(RAW, WEB, [START + 1000], 1)
    labels = (("__name__", "took_seconds_bucket"), ("instance", "web"), ("job", "node"), ("le", "1"))
    shelf = Shelf(tmp_path)
    shelf.put(slab._replace(entries=(slab.entries[0]._replace(labels=labels, metric=metric),)))
    found = held(
        history(shelf).select((Matcher("__name__", "=", "took_seconds_bucket"),), START, START + 9999)
    )
    assert list(found) == [labels]
    assert history(shelf).metadata() == {"took_seconds": metric}
    shelf.close()


def test_times_of_several_sources_are_put_in_order_each_once() -> None:
    pieces = [np.array(times, np.int64) for times in ([3, 5, 7], [], [1, 5, 6], [7])]
    assert ascending(pieces).tolist() == [1, 3, 5, 6, 7]
    assert ascending(pieces[1:2]).tolist() == []


def test_more_than_may_be_read_is_refused_before_anything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, range(START + SECOND, START + 101 * SECOND, SECOND)))
    found = history(shelf)
    (selection,) = found.select(EVERYTHING, START, START + HOUR, Look(most=300))
    assert selection.values.shape == (100, 3)
    monkeypatch.delattr(Volume, "cells")
    with pytest.raises(TooManyError, match="300 numbers, expected 299 at most"):
        found.select(EVERYTHING, START, START + HOUR, Look(most=299))
    shelf.close()
