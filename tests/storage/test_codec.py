"""A column comes back bit for bit, whatever is in it, and takes little room where little happens."""

from __future__ import annotations

import math
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Floats
from monitor.storage import STALE_BITS
from monitor.storage.codec import decode, encode, pack_whole, unpack_whole

STALE = float(np.array(STALE_BITS, np.int64).view(np.float64))
BITS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([STALE_BITS, 0, -(2**63), 0x7FF8000000000000, 0x7FF8DEADBEEF0001, 0x7FF0000000000000]),
    st.floats().map(lambda value: struct.unpack("<q", struct.pack("<d", value))[0]),
    st.integers(-(2**60), 2**60).map(lambda whole: struct.unpack("<q", struct.pack("<d", whole))[0]),
)


def column(*values: float) -> Floats:
    return np.array(values, np.float64)


@given(
    bits=st.one_of(
        st.lists(BITS, min_size=1, max_size=300), st.builds(lambda b, n: [b] * n, BITS, st.integers(1, 50))
    )
)
def test_any_bits_come_back(bits: list[int]) -> None:
    given_column = np.array(bits, np.int64).view(np.float64)
    cell = encode(given_column)
    assert decode(cell, len(bits)).view(np.int64).tolist() == bits
    # SQLite would make NULL of a NaN.
    assert cell is None or isinstance(cell, bytes) or not math.isnan(cell)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=300))
def test_whole_numbers_come_back(numbers: list[int]) -> None:
    assert unpack_whole(pack_whole(np.array(numbers, np.int64))).tolist() == numbers


def test_what_never_changes_is_a_number_and_what_never_was_is_nothing() -> None:
    assert encode(column(2.5, 2.5, 2.5)) == 2.5
    assert encode(column(STALE, STALE)) is None
    whole = encode(column(7, 7))
    assert whole == 7
    assert isinstance(whole, int)


def test_a_negative_zero_stays_one() -> None:
    constant = encode(column(-0.0, -0.0))
    assert isinstance(constant, float)
    assert math.copysign(1, constant) == -1
    assert np.signbit(decode(encode(column(-0.0, 1.0)), 2)).tolist() == [True, False]


def test_a_constant_that_is_absent_in_some_rows_is_no_constant() -> None:
    cell = encode(column(1, STALE, 1))
    assert isinstance(cell, bytes)
    assert decode(cell, 3).view(np.int64).tolist() == column(1, STALE, 1).view(np.int64).tolist()


def test_a_counter_takes_less_than_a_byte_for_each_sample() -> None:
    steps = np.random.default_rng(1).integers(0, 8, 900)
    cell = encode(np.cumsum(steps).astype(np.float64))
    assert isinstance(cell, bytes)
    assert len(cell) < 450


def test_presence_that_changes_every_row_costs_a_bit() -> None:
    values = np.where(np.arange(900) % 2 == 0, 1.0, STALE)
    cell = encode(values)
    assert isinstance(cell, bytes)
    assert len(cell) < 160
    assert decode(cell, 900).view(np.int64).tolist() == values.view(np.int64).tolist()
