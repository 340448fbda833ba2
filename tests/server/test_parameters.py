"""Times and durations as clients of the Prometheus API write them."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.server.parameters import FARTHEST, ParameterError, Range, duration, grid, label_name, moment


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1764000000", 1764000000000),
        ("1764000000.123", 1764000000123),
        ("1.764e9", 1764000000000),
        ("-1.5", -1500),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01t00:00:01.25z", 1250),
        ("1970-01-01T02:00:00.123456789+02:00", 123),
        ("9999-12-31T23:59:59Z", FARTHEST - 1000),
        ("0001-01-01T00:00:00+23:59", -62135683140000),
    ],
)
def test_moments(text: str, milliseconds: int) -> None:
    assert moment("time", text) == milliseconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "now", "nan", "inf", "1e999", "-1e999", "1_000", "0x10", "\u0661", "1764000000 ", "2025-01-01",
     "2025-02-30T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:00:00", "2025-W01-1T00:00:00Z", "1e15"],
)  # fmt: skip
def test_what_is_no_moment_is_named_with_its_parameter(text: str) -> None:
    with pytest.raises(ParameterError, match='invalid parameter "start": '):
        moment("start", text)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("15", 15_000), ("0.25", 250), ("15s", 15_000), ("1h30m", 5_400_000), ("100ms", 100), ("1m", 60_000),
     ("1d", 86_400_000), ("1y1w1d1h1m1s1ms", 32_230_861_001)],
)  # fmt: skip
def test_durations(text: str, milliseconds: int) -> None:
    assert duration("step", text) == milliseconds


@pytest.mark.parametrize(
    "text",
    ["", "0", "0s", "-1", "-5m", "1m1h", "15 s", "1.5h", "inf", "-1e999", "1e999", "0.0001", "999999999y"],
)  # fmt: skip
def test_what_is_no_duration_is_named_with_its_parameter(text: str) -> None:
    with pytest.raises(ParameterError, match='invalid parameter "step": '):
        duration("step", text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_both_forms_of_a_moment_mean_the_same(time: datetime) -> None:
    assert moment("time", time.isoformat()) == round(time.timestamp() * 1000)
    assert abs(moment("time", f"{time.timestamp():.3f}") - round(time.timestamp() * 1000)) <= 1


def test_a_grid_has_both_its_ends() -> None:
    assert grid("10", "20", "5s", 3) == Range(10_000, 20_000, 5000)
    with pytest.raises(ParameterError, match="more than 2 points"):
        grid("10", "20", "5s", 2)
    with pytest.raises(ParameterError, match='"end": it must not be before start'):
        grid("20", "10", "5s", 3)


def test_label_names() -> None:
    assert label_name("__name__") == "__name__"
    for text in ("", "1a", "a-b", "a b", "\u00e4", "a\n"):
        with pytest.raises(ParameterError, match="invalid label name"):
            label_name(text)


@given(st.text(), st.text("0123456789.eE+-TZ:smhdwy"))
def test_any_text_is_a_number_of_milliseconds_or_an_error(text: str, likely: str) -> None:
    for given_text in (text, likely):
        with suppress(ParameterError):
            assert abs(moment("time", given_text)) <= FARTHEST
        with suppress(ParameterError):
            assert 1 <= duration("step", given_text) <= FARTHEST


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(ParameterError, match="invalid parameter") as caught:
        moment("time", "x" * 100_000)
    assert len(str(caught.value)) < 250
