"""The short form of `python -m tests.faults --only descriptors`."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.server.gate import REST
from tests.faults.descriptors import Outcome, campaign, said_by, told


@pytest.mark.gen_test(timeout=60)
async def test_without_descriptors_those_inside_notice_nothing(tmp_path: Path) -> None:
    # The service rests for a second where the first of the crowd find nothing free to be told with.
    found = await campaign(tmp_path, floods=1, seed=1, lasts=REST + 0.5)
    assert (found.harmed, found.without) == ([], [])
    assert set(said_by(found.lines).values()) == {1}
    assert found.refused > 0
    assert not found.descriptors


def test_a_flood_that_costs_too_much_or_lasts_too_long_stands_out() -> None:
    found = Outcome(cpu=[0.01, 0.3], recoveries=[0.1, 2.5], lines=["0 WARNING gate:"] * 3, minutes=1.5)
    assert [row.what for row in told(found) if not row.held] == [
        "warnings of one part of the service, at most one a minute",
        "of a core during a flood, at the most and on average",
        "seconds until a newcomer is served again, at the most",
    ]
