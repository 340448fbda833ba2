"""The short form of `python -m tests.faults --only mounts`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.mounts import Outcome, apart, impossible, told

IMPOSSIBLE = impossible()
SETTINGS = {
    "COLLECT__INTERVAL": "200ms",
    "COLLECT__COLLECTORS__FILESYSTEM__EVERY": "400ms",
    "COLLECT__COLLECTORS__FILESYSTEM__TIMEOUT": "100ms",
}


@pytest.mark.skipif(IMPOSSIBLE is not None, reason=str(IMPOSSIBLE))
def test_mounts_that_never_answer_are_marked_and_hold_up_no_restart(tmp_path: Path) -> None:
    found = apart(tmp_path, mounts=2, restarts=1, viewers=2, **SETTINGS)
    assert [row for row in told(found) if not row.held] == []
    # One for each mount, and the one that was asked about all of them.
    assert found.hanging == [3, 6]
    assert found.columns > 0


def test_a_stop_that_waits_for_what_hangs_stands_out() -> None:
    found = Outcome(
        mounts=2, marked=[1.0], answered=3, stops=[0.1, 20.0], starts=[0.5], hanging=[2], columns=50, left=1
    )
    assert [row.number for row in told(found) if not row.held] == ["20.00", 1]
