"""The short form of `python -m tests.faults --only hooks`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.hooks import CASES, Case, Outcome, campaign, told


@pytest.mark.gen_test(timeout=60)
async def test_whatever_hook_fails_each_session_goes_once(tmp_path: Path) -> None:
    found = await campaign(tmp_path, each=3, healthy=2)
    assert found == [
        Outcome(case, connected=3, opened=opened, gone=opened, told=3 if case.fault == "raises" else 0)
        for case in CASES
        for opened in [0 if case == Case("open", "raises") else 3]
    ]
    assert all(row.held for row in told(found))


def test_a_session_that_is_left_stands_out() -> None:
    found = [Outcome(CASES[1], connected=3, opened=3, gone=2, left=1, told=3)]
    assert [row.number for row in told(found) if not row.held] == [
        "3 connected, 3 opened, 2 gone, 3 in the log",
        1,
    ]
