"""The short forms of `python -m tests.faults --only memory --only starved`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import memory, starved


@pytest.mark.gen_test(timeout=60)
async def test_beside_busy_loops_nobody_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starved, "VIEWERS", 5)
    found = await starved.campaign(tmp_path, lasts=1.0, nice=[0])
    assert (found.verdicts, found.harmed, found.zombies) == (0, [], 0)


@pytest.mark.gen_test(timeout=60)
async def test_with_little_memory_the_healthy_are_served_and_the_rest_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "QUESTIONS", 3)
    if why := memory.missing():
        pytest.skip(why)
    found = memory.Outcome()
    await memory.run(tmp_path, 64 * memory.MIB, found)
    assert (found.wrong, found.ended) == ([], {"lived on": 1})
    assert found.stalled > 0
    assert found.refused >= memory.BEYOND


def test_a_service_that_is_killed_stands_out() -> None:
    found = memory.Outcome(refused=1)
    found.ended["killed"] += 1
    assert [row.held for row in memory.told(found)].count(False) == 1
