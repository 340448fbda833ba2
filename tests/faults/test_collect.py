"""The short form of `python -m tests.faults --only collect`."""

from __future__ import annotations

from pathlib import Path

from tests.faults.collect import FAULTS, Outcome, campaign, told

QUICK = [fault for fault in FAULTS if not fault.link]
"""Sensors are asked every five seconds, and processes are many: tests/collect/test_tree.py has a
sensor that fails, test_process_groups.py has processes that come and go."""


def test_broken_sources_are_seen_spare_the_rest_and_come_back(tmp_path: Path) -> None:
    found = campaign(tmp_path, rounds=1, processes=0, faults=QUICK)
    assert [row for row in told(found) if not row.held] == []
    assert found.looked_at > 100


def test_a_wrong_value_stands_out() -> None:
    found = Outcome(seen={"x": [1.0]}, ended={"x": [99.0]}, wrong=1, looked_at=5, others=1, warnings=1)
    assert [row.number for row in told(found) if not row.held] == ["99.00", 1, 1]
