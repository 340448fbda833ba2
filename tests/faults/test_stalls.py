"""The short form of `python -m tests.faults --only stalls`; tests/deaths/test_stalls.py has longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.stalls import Outcome, campaign, told


@pytest.mark.gen_test(timeout=60)
async def test_a_stall_beyond_every_deadline_closes_nobody(tmp_path: Path) -> None:
    found = await campaign(tmp_path, stalls=[1.8], viewers=5)
    assert (found.cut, found.gone, found.missing, found.disordered) == (0, 0, 0, 0)
    assert found.columns > 5 * 4


def test_a_viewer_that_was_cut_stands_out() -> None:
    found = Outcome(stalls=[2.0], back=[0.1], viewers=5, cut=1, gone=1, columns=50)
    assert [row.what for row in told(found) if not row.held] == [
        "of them closed",
        "sessions ended by the service's own count",
    ]
