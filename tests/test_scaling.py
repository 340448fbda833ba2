"""The arithmetic of docs/scaling.md: it keeps its own rules, and the page shows what it prints."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import scaling
from benchmarks.scaling import Measured, comes_back, delays, load, machine, processes, written

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"


def fits(held: Measured, viewers: int, count: int) -> bool:
    return load(held, viewers, count) <= held.busy and written(held, viewers, count) <= held.late


@given(st.integers(1, 200_000))
def test_no_process_is_busier_than_it_may_be_and_none_is_there_for_nothing(viewers: int) -> None:
    held = Measured()
    count = processes(held, viewers)
    assert fits(held, viewers, count)
    assert count == 1 or not fits(held, viewers, count - 1)


def test_twice_the_viewers_take_twice_the_network_and_no_more_time() -> None:
    held = Measured()
    one, two = (machine(held, viewers, Random(1)) for viewers in (20_000, 40_000))
    assert two.packets == 2 * one.packets
    assert two.megabits == pytest.approx(2 * one.megabits)
    assert two.processes > one.processes
    assert two.last < held.late


def test_half_have_the_tick_in_half_of_the_time() -> None:
    held = Measured(write=20, tick=0, relay=0)
    half, last = delays(held, 10_000, 1, Random(1))
    assert half == pytest.approx(100, rel=0.02)
    assert last == pytest.approx(198, rel=0.02)
    assert delays(held, 10_000, 2, Random(1))[1] == pytest.approx(99, rel=0.02)


def test_who_is_served_faster_than_he_comes_is_back_with_the_last_to_come() -> None:
    assert comes_back(Measured(), 1000, 1, spread=10.0) == pytest.approx(10.0, abs=0.05)


def test_a_return_within_too_short_a_time_takes_what_the_handshakes_take() -> None:
    held = Measured(write=0, rest=0, tick=0, handshake=1000, handover=1000)
    assert comes_back(held, 10_000, 1, spread=2.0) == pytest.approx(10.0, abs=0.05)


def test_the_page_shows_what_the_script_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert scaling.main([]) == 0
    for table in capsys.readouterr().out.strip().split("\n\n"):
        assert table in PAGE.read_text(encoding="utf-8")


def test_the_inputs_may_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert scaling.main(["--write", "5", "--rest", "5"]) == 0
    assert "| 100,000 | 3 |" in capsys.readouterr().out
