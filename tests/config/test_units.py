"""Durations and sizes: what is written reads back, in the unit a person would choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monitor.config.units import DURATION, SIZE, Between, Duration, Quantity, Size, bound

WRITTEN = {"written": True}


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("15s", 15.0), ("5m", 300.0), ("2h", 7200.0), ("30d", 2_592_000.0)]
)
def test_a_duration_is_seconds_in_code(text: str, seconds: float) -> None:
    assert TypeAdapter(Duration).validate_python(text, context=WRITTEN) == seconds
    assert DURATION.write(seconds) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [("512B", 512), ("64KiB", 65536), ("3MiB", 3 << 20), ("1GiB", 1 << 30)],
)
def test_a_size_is_bytes_in_code(text: str, count: int) -> None:
    assert TypeAdapter(Size).validate_python(text, context=WRITTEN) == count
    assert SIZE.write(count) == text


@pytest.mark.parametrize(
    "text", ["", "10", "1.5s", "-1s", "1 s", "1S", "1w", "s", "1sm", "9" * 16 + "s", "\uff11s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="a duration such as 500ms, 15s, 5m, 2h, 30d"):
        TypeAdapter(Duration).validate_python(text, context=WRITTEN)


@pytest.mark.parametrize("value", [10, 1.5, True, None, ["1s"]])
def test_a_file_may_not_leave_the_unit_out(value: object) -> None:
    with pytest.raises(ValidationError, match="a duration such as"):
        TypeAdapter(Duration).validate_python(value, context=WRITTEN)


def test_code_gives_numbers() -> None:
    assert TypeAdapter(Duration).validate_python(0.25) == 0.25
    assert TypeAdapter(Size).validate_python(100) == 100


@given(st.sampled_from([DURATION, SIZE]), st.integers(0, 10**15 - 1))
def test_what_is_written_reads_back(quantity: Quantity, count: int) -> None:
    assert quantity.parse(quantity.write(count / quantity.scale)) == count


@given(st.sampled_from([DURATION, SIZE]), st.text(max_size=8))
def test_any_text_is_read_or_refused(quantity: Quantity, text: str) -> None:
    try:
        count = quantity.parse(text)
    except ValueError:
        return
    assert quantity.parse(quantity.write(count / quantity.scale)) == count


def test_bounds_are_written_as_in_the_file() -> None:
    assert (bound("100ms"), bound("1KiB"), bound(7), bound(None)) == (0.1, 1024, 7, float("inf"))
    assert str(Between("1s", "1h")) == "1s to 1h"
    assert str(Between(1)) == "at least 1"
