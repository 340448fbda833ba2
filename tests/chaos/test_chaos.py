"""The promise of docs/protocol.md (rule 2) with real processes: `python -m tests.chaos` is the long form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.book import Book, HoleError, Message, name
from tests.chaos.faults import FAULTS, KINDS, clash, drawn
from tests.chaos.herd import come_back
from tests.chaos.history import history, own_network
from tests.chaos.truth import Truth, compare
from tests.network import Network

WORKERS = {70: 1, 71: 2, 72: 1, 73: 2}
"""Processes of the service, by seed."""
SHORT = 16
"""Ticks in which the faults of a test begin."""


@pytest.fixture(scope="module")
def joined() -> Iterator[Network]:
    with own_network() as network:
        yield network


@pytest.mark.parametrize(("seed", "workers"), WORKERS.items())
@pytest.mark.gen_test(timeout=600)
async def test_every_viewer_ends_with_what_the_range_query_gives(
    joined: Network, tmp_path: Path, seed: int, workers: int
) -> None:
    outcome = await history(seed, tmp_path, joined, SHORT, workers)
    assert outcome.mismatches == []
    assert outcome.count.columns > 10 * outcome.viewers
    assert outcome.count.values > 10 * outcome.count.columns
    assert outcome.connections > outcome.viewers


@pytest.mark.gen_test(timeout=600)
async def test_a_herd_of_viewers_comes_back_whole(tmp_path: Path) -> None:
    settings = {"collect.interval": "200ms", "server.websocket.reconnect_spread": "500ms"}
    found = await come_back(200, tmp_path, settings)
    assert found.wrong == []
    assert found.spread == 0.5
    assert found.gone < found.listening <= found.last_back


@pytest.mark.gen_test(timeout=600)
async def test_a_restart_on_a_kept_socket_refuses_nobody(tmp_path: Path) -> None:
    settings = {"collect.interval": "200ms", "server.websocket.reconnect_spread": "500ms"}
    found = await come_back(50, tmp_path, settings, keep=True)
    assert (found.wrong, found.refused, found.failed) == ([], 0, 0)
    assert found.answered
    assert found.hole <= found.listening + 0.2


def test_the_seeds_of_the_tests_bring_every_kind_of_fault() -> None:
    assert {fault.kind for seed in WORKERS for fault in drawn(seed, SHORT)} == set(KINDS)


def test_a_seed_draws_the_same_faults_again_and_none_that_clash() -> None:
    for seed in range(100):
        faults = drawn(seed, SHORT)
        assert faults == drawn(seed, SHORT)
        assert len(faults) == FAULTS
        assert not any(clash(a, b) for place, a in enumerate(faults) for b in faults[:place])


SERIES: list[Message] = [{"query": 0, "labels": {}}]
KEY = name(0, {})
EPOCH = "b7c1"
RIGHT = Truth(EPOCH, 200, {200 * n: {KEY: float(n)} for n in range(1, 21)})


def past(first: int, n: int, **fields: object) -> Message:
    numbers = range(first, n + 1)
    columns = {"t": [200 * number for number in numbers], "v": [[float(number) for number in numbers]]}
    message = {"type": "columns", "feed": 1, "n": n, "series": SERIES, "columns": columns, "complete": True}
    return {**message, "oldest": None, **fields}


def tick(n: int) -> Message:
    return {"type": "tick", "feed": 1, "n": n, "t": 200 * n, "v": [float(n)]}


def book(*messages: Message) -> Book:
    """What is held after columns 5 to 10 and these messages."""
    made = Book()
    made.welcome({"epoch": EPOCH, "step": 200})
    request = made.ask()["request"]
    for message in (past(5, 10, type="subscribed", request=request), *messages):
        made.take(message)
    return made


def found(*messages: Message, goal: int = 12) -> list[str]:
    return compare([book(*messages).report()], [RIGHT], 200 * goal).mismatches


def test_columns_in_order_are_as_they_must_be() -> None:
    assert found(tick(11), past(12, 14)) == []


def test_a_tick_that_does_not_follow_makes_a_viewer_ask_again() -> None:
    with pytest.raises(HoleError):
        book(tick(12))
    held = book()
    with pytest.raises(HoleError):
        held.take(tick(13))
    assert held.ask()["after"] == 2000
    assert not held.take(tick(14))


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([tick(11)], "missing [2400]"),
        ([past(12, 14)], "missing [2200]"),
        ([past(12, 14)], "columns after 10 begin at 12"),
        ([past(10, 12)], "column 2000 came after 2000"),
        ([past(12, 14, complete=False, oldest=2400)], "lost though nobody restarted"),
        ([tick(11), {**tick(12), "v": []}], "0 values for 1 series"),
        ([tick(11), {**tick(12), "v": [12.000000000000002]}], "12.000000000000002, not 12.0"),
        ([tick(11), {**tick(12), "v": [None]}], "None, not 12.0"),
    ],
)
def test_what_breaks_the_promise_is_found(messages: list[Message], complaint: str) -> None:
    assert any(complaint in fault for fault in found(*messages))


def test_what_a_service_sent_that_was_ended_stays_and_the_next_is_held_from_its_first_scrape() -> None:
    held = book()
    held.welcome({"epoch": "next", "step": 200})
    asked = held.ask()
    assert asked["after"] == 2000
    held.take(past(15, 16, type="subscribed", request=asked["request"], complete=False, oldest=3000))
    begun = Truth("next", 200, {200 * n: {KEY: float(n)} for n in range(15, 21)})
    assert compare([held.report()], [RIGHT, begun], 3200).mismatches == []
    begun = Truth("next", 200, {200 * n: {KEY: float(n)} for n in range(14, 21)})
    assert "missing [2800]" in compare([held.report()], [RIGHT, begun], 3200).mismatches[0]
