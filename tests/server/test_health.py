"""Alive from the first moment; ready when the first scrape is stored."""

import json
from typing import Any

import pytest

from monitor.model import Block, Scrape
from monitor.storage.head import Head

from .conftest import LAYOUT, NOW, TARGET, Ask


@pytest.fixture
def options(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "storage": Head()}


@pytest.mark.gen_test
async def test_ready_means_that_a_scrape_is_stored(ask: Ask, options: dict[str, Any]) -> None:
    before = await ask("/readyz")
    assert (before.code, json.loads(before.body)["error"]["code"]) == (503, "not_ready")
    assert before.headers["Retry-After"] == "1"
    options["storage"].append(Scrape(NOW, TARGET, (Block(LAYOUT, (1.0, 2.0, 3.0)),)))
    after = await ask("/readyz")
    assert (after.code, json.loads(after.body)) == (200, {"status": "ready"})


@pytest.mark.gen_test
async def test_alive_means_that_it_answers(ask: Ask) -> None:
    answer = await ask("/healthz")
    assert (answer.code, json.loads(answer.body)) == (200, {"status": "alive"})
    assert (await ask("/healthz", method="HEAD")).code == 200
