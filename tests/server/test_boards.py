"""The page is given the boards as they are, every field present."""

import json
from typing import Any

import pytest

from .conftest import Ask


@pytest.mark.gen_test
async def test_boards_are_given_whole_and_in_order(ask: Ask, options: dict[str, Any]) -> None:
    answer = await ask("/api/boards")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    told = json.loads(answer.body)
    assert told.pop("version")
    assert told == {
        "boards": options["boards"],
        "configuration": {"problems": [], "count": 0, "waiting": []},
    }
