"""How `python -m tests.faults --only pages` judges; its short form is tests/e2e/test_hidden.py."""

from __future__ import annotations

from collections import Counter

from tests.faults.pages import LEAK, Outcome, told


def kept() -> Outcome:
    cycles = Counter(busy=2, hidden=1, frozen=1, offline=1)
    return Outcome(cycles, Counter(frozen=1, offline=1), [0.1, 2.0], 100, 0, [2e6, 2e6, 2e6, 2e6, 2e6 + LEAK])


def test_a_frozen_page_and_one_offline_may_lose_their_connection() -> None:
    assert [row for row in told(kept()) if not row.held] == []


def test_a_hidden_page_may_not_nor_may_a_page_leak() -> None:
    found = kept()
    found.lost["hidden"] = 1
    found.heap[-1] += 1
    assert [row.what for row in told(found) if not row.held] == [
        "connections lost while it was busy or hidden",
        "more than after the first of each kind",
    ]
