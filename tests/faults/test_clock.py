"""The short form of `python -m tests.faults --only clock`; tests/deaths/test_clock.py steps it in process."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.faults.clock import KINDS, LAST, MISSING, Outcome, campaign, drawn, library, told


@pytest.mark.skipif(library() is None, reason=MISSING)
@pytest.mark.gen_test(timeout=60)
async def test_whatever_the_clock_is_set_to_nobody_is_cut_and_ticks_go_on(tmp_path: Path) -> None:
    steps = [*KINDS[0], *KINDS[1], *KINDS[2], *LAST]
    found = await campaign(tmp_path, steps, viewers=3, COLLECT__INTERVAL="200ms")
    assert [row for row in told(found) if not row.held] == []
    assert sum(found.steps.values()) == len(steps)
    assert found.columns >= 3 * len(steps)


def test_a_missing_library_is_a_failure_once_though_its_test_is_skipped() -> None:
    assert library() is not None, MISSING


def test_every_kind_of_step_is_drawn_and_ten_years_come_last() -> None:
    steps = drawn(Random(1), 200)
    assert len(steps) == 200
    assert set(steps) == {*LAST, *(step for kind in KINDS for step in kind)}
    assert tuple(steps[-3:]) == LAST


def test_a_ping_that_comes_too_late_stands_out() -> None:
    late = Outcome(steps={"an hour back": 1}, viewers=1, ping=3601.0, tick=0.5)
    assert [row.number for row in told(late) if not row.held] == ["3601.00"]
