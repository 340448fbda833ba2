"""The short form of `python -m tests.faults --only seams`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.clock import MISSING, library
from tests.faults.seams import STEPS, Outcome, campaign, parts, told


@pytest.mark.skipif(library() is None, reason=MISSING)
@pytest.mark.gen_test(timeout=60)
async def test_what_was_shown_is_there_afterwards_whatever_the_clock_was_set_to(tmp_path: Path) -> None:
    found = await campaign(tmp_path, STEPS[-2:], ticks=4)
    assert [row for row in told(found) if not row.held] == []
    assert (found.steps, found.restarts) == (2, 2)


def test_what_lies_together_is_asked_for_at_once() -> None:
    assert list(parts([0, 200, 400, 3_600_000, 3_600_200])) == [[0, 200, 400], [3_600_000, 3_600_200]]


def test_a_row_that_is_lost_a_step_without_a_mark_and_a_pause_stand_out() -> None:
    broken = Outcome(steps=2, restarts=2, shown={1, 2, 3}, found={1, 2}, marked=1, paused=1)
    assert [row.number for row in told(broken) if not row.held] == [1, 1, 1]
