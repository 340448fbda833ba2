"""Queries of a configuration are judged before anybody asks them."""

import pytest

from monitor import parts
from monitor.config import Board, load
from monitor.config.library import built_in
from monitor.queries import judge

BOARDS = load(None, {"MONITOR_BOARDS": f"[{', '.join(built_in())}]"}, {}).settings.boards


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_nothing_is_wrong_with_the_queries_that_come_with_the_service(board: Board) -> None:
    assert [fault for fault in map(judge, parts.queries(board)) if fault] == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("rate(x[$__rate_interval]) + rat(y)", "character 29: unknown function with name 'rat'"),
        ("rate(x[${__rate_interval}]) + rat(y)", "character 31: unknown function with name 'rat'"),
        ("sum(x) +\n  rat(y)", "line 2, character 3: unknown function with name 'rat'"),
        ("$host", "character 1: unexpected character '$'"),
        (" ", "character 1: no expression found in input"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(query: str, fault: str) -> None:
    assert judge(query) == fault
