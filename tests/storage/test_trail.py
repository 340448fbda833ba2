"""A row as what changed since the one before: whatever the values, they come back to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.storage.table import STALE
from monitor.storage.trail import Bits, Trail, decimals

PECULIAR = [0.0, -0.0, STALE, float("nan"), float("inf"), -float("inf"), 2.0**53, 2.0**63, -(2.0**63), 5e-324]
ORDINARY = st.one_of(
    st.sampled_from(PECULIAR),
    st.floats(),
    st.integers(-(10**6), 10**18).map(float),
    st.builds(lambda number, digits: number / 10**digits, st.integers(0, 10**10), st.integers(0, 9)),
)
ROWS = st.integers(1, 20).flatmap(
    lambda width: st.lists(st.lists(ORDINARY, min_size=width, max_size=width), min_size=1, max_size=12)
)


def bits(values: list[float]) -> Bits:
    return np.array(values).view(np.uint64)


@given(ROWS, st.integers(1, 5))
def test_every_row_comes_back(rows: list[list[float]], every: int) -> None:
    writer, reader = Trail(), Trail()
    for number, row in enumerate(rows):
        if number % every:
            found = reader.take_change(writer.change(bits(row)))
        else:
            found = reader.take_whole(writer.whole(bits(row)))
        assert found is not None
        assert found.tobytes() == bits(row).tobytes()


def test_nothing_stands_on_a_row_that_is_not_there() -> None:
    writer, reader = Trail(), Trail()
    writer.whole(bits([1.0, 2.0]))
    assert reader.take_change(writer.change(bits([1.0, 3.0]))) is None
    reader.take_whole(writer.whole(bits([1.0, 4.0])))
    reader.forget()
    assert reader.take_change(writer.change(bits([1.0, 5.0]))) is None


def test_nothing_stands_on_a_row_of_other_columns() -> None:
    writer, reader = Trail(), Trail()
    writer.whole(bits([0.0] * 20))
    reader.take_whole(Trail().whole(bits([0.0] * 3)))
    assert reader.take_change(writer.change(bits([1.0] * 20))) is None
    assert reader.bits is None


@pytest.mark.parametrize(
    ("value", "digits"), [(7.0, 0), (0.5, 1), (12.34, 2), (1e-9, 9), (1 / 3, 0), (float("nan"), 0), (-0.0, 0)]
)
def test_the_fewest_decimals_are_found(value: float, digits: int) -> None:
    assert decimals(np.array([value]), np.zeros(1, np.uint8)).tolist() == [digits]


def test_decimals_that_are_known_stay_while_they_do() -> None:
    assert decimals(np.array([2.0, 0.25]), np.array([3, 1], np.uint8)).tolist() == [3, 2]


def test_what_moves_by_little_takes_few_bytes() -> None:
    trail = Trail()
    trail.whole(bits([1e15, 123.45, 1 / 3]))
    flags = 2
    change = trail.change(bits([1e15 + 1, 123.46, 1 / 3]))
    assert len(change) == flags + 2 * 8
    assert change.count(0) == 2 * 7
