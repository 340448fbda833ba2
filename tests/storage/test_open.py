"""Rows that grow in memory: each sample stands in them once, and what is over takes no more room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.storage import is_stale
from monitor.storage.open import NARROW, Open
from monitor.storage.shelf import Shelf
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, Slab
from tests.storage.slabs import EVERYTHING, START, WEB, entry, history

ASPECTS = len(MINUTES.aspects)
SLOT = MINUTES.slot_at(START + 1)
Samples = dict[tuple[int, int], list[float]]
"""The aspects by row and series."""


def grown(rows: list[set[int]], opened: Open) -> Samples:
    """Rows with these series."""
    held: Samples = {}
    for row, numbers in enumerate(rows):
        listed = sorted(numbers, key=lambda number: number * 7 % 11)
        places = opened.place(entry(WEB, number) for number in listed)
        held.update(
            {(row, number): [row + number / 1000 + at for at in range(ASPECTS)] for number in numbers}
        )
        values = np.array([held[row, number] for number in listed]).reshape(-1, ASPECTS).T
        opened.append(START + (row + 1) * MINUTE, places, values)
    return held


def told(slabs: tuple[Slab, ...]) -> Samples:
    held: Samples = {}
    for slab in slabs:
        for place, each in enumerate(slab.entries):
            for row in np.flatnonzero(~is_stale(slab.values[0, :, place])).tolist():
                key = (int(slab.times[row]) - START) // MINUTE - 1, int(dict(each.labels)["number"])
                assert key not in held
                held[key] = slab.values[:, row, place].tolist()
    return held


rows = st.lists(st.sets(st.integers(0, 3 * NARROW), max_size=6), max_size=30)
crowds = st.sets(st.integers(0, 3 * NARROW), min_size=NARROW)


@given(first=st.lists(crowds, max_size=2), then=rows)
def test_each_sample_stands_in_one_slab_and_in_its_row(first: list[set[int]], then: list[set[int]]) -> None:
    opened = Open(MINUTES, WEB, SLOT)
    held = grown(first + then, opened)
    assert told(opened.slabs) == held
    every = opened.rows(0, len(opened.times))
    numbers = [int(dict(each.labels)["number"]) for each in opened.entries]
    found = {(row, numbers[place]) for row, place in np.argwhere(~is_stale(every[0])).tolist()}
    assert found == set(held)
    assert [time for time, _ in opened.unlogged()] == opened.times.tolist()


def test_slabs_that_were_given_out_do_not_change() -> None:
    opened = Open(MINUTES, WEB, SLOT)
    grown([{0, 1}, {0}], opened)
    given_out, before = opened.slabs, told(opened.slabs)
    opened.append(START + 3 * MINUTE, opened.place([entry(WEB, 0), entry(WEB, 9)]), np.ones((ASPECTS, 2)))
    assert told(given_out) == before
    assert [len(slab.times) for slab in given_out] == [2]


def test_what_came_and_went_takes_the_room_of_its_own_rows() -> None:
    opened = Open(HOURS, WEB, SLOT)
    for row in range(50):
        grown_by = [entry(WEB, row * NARROW + number) for number in range(NARROW)]
        opened.append(START + (row + 1) * HOUR, opened.place(grown_by), np.ones((ASPECTS, NARROW)))
    assert sum(slab.values.size for slab in opened.slabs) == 50 * NARROW * ASPECTS


def test_series_of_one_slot_are_closed_together(tmp_path: Path) -> None:
    opened = Open(MINUTES, WEB, SLOT)
    held = grown([set(range(NARROW)), {NARROW, 3}, {3, 2 * NARROW}, {NARROW}], opened)
    assert len(opened.slabs) > 1
    shelf = Shelf(tmp_path)
    shelf.put(*opened.slabs)
    stored = shelf.stored(MINUTES, WEB, SLOT)
    assert stored is not None
    assert told((stored,)) == held
    # And again, as after a kill between the commit and the end of the log.
    shelf.put(*opened.slabs)
    again = shelf.stored(MINUTES, WEB, SLOT)
    assert again is not None
    assert told((again,)) == held
    (found,) = history(shelf).select(EVERYTHING, START, START + 4 * MINUTE)
    assert found.timestamps.tolist() == opened.times.tolist()
    assert shelf.damage == []
    shelf.close()
