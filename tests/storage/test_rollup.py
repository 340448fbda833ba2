"""One row out of many."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitor.model import Floats
from monitor.storage import is_stale
from monitor.storage.rollup import COUNT, GREATEST, LAST, LEAST, LOST, SUM, merged, rolled_up
from monitor.storage.table import STALE

COUNTERS = np.array([True, False, True])
VALUES = arrays(
    np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=st.sampled_from([0, 1, 2, 5, STALE])
)
NOTHING = np.full(3, STALE)


def rise(samples: list[float]) -> float:
    """By how much a counter rose from its first sample on, as Prometheus counts."""
    return sum(after - before if after >= before else after for before, after in pairwise(samples))


def present(column: Floats) -> list[float]:
    return [float(value) for value in column[~is_stale(column)]]


@given(VALUES)
def test_a_row_tells_of_each_series_what_its_samples_were(values: Floats) -> None:
    row = rolled_up(values, NOTHING, COUNTERS)
    for column in range(3):
        samples = present(values[:, column])
        if not samples:
            assert is_stale(row[:, column]).all()
            continue
        told = row[:, column].tolist()
        assert told[LAST] == samples[-1]
        assert (told[LEAST], told[GREATEST]) == (min(samples), max(samples))
        assert (told[SUM], told[COUNT]) == (sum(samples), len(samples))
        if COUNTERS[column]:
            assert samples[0] + rise(samples) == samples[-1] + told[LOST]
        else:
            assert told[LOST] == 0


@given(VALUES, st.lists(st.integers(1, 11), max_size=3, unique=True))
def test_rolled_up_in_parts_is_rolled_up_at_once(values: Floats, cuts: list[int]) -> None:
    parts = [part for part in np.split(values, sorted(cuts)) if len(part)]
    rows, before = [], NOTHING
    for part in parts:
        rows.append(rolled_up(part, before, COUNTERS))
        last = np.where(is_stale(rows[-1][LAST]), before, rows[-1][LAST])
        before = np.where(is_stale(before) & is_stale(last), STALE, last)
    whole = merged(np.stack(rows, axis=1))
    at_once = rolled_up(values, NOTHING, COUNTERS)
    assert whole.tobytes() == at_once.tobytes()
