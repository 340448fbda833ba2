"""/api/v1/burst: kept on request, listed, given as a whole and asked by PromQL."""

import json
from typing import Any

import pytest

from monitor.model import Block, Scrape
from monitor.server.bursts import Burst
from monitor.storage.head import Head
from monitor.storage.snapshot import Snapshot

from .conftest import LAYOUT, NOW, TARGET, Ask

JSON = {"Content-Type": "application/json"}


class Keeper:
    """Keeps a second of the past at 10 Hz."""

    enabled, length, interval, cost = True, 60_000, 100, 0.004

    def __init__(self) -> None:
        self.kept: list[Burst] = []

    def keep(self, reason: str) -> Burst | None:
        if not self.enabled:
            return None
        head = Head()
        for step in range(11):
            values = (0.5 + step, 1000 + 0.025 * step, float("nan"))
            head.append(Scrape(NOW + 100 * step, TARGET, (Block(LAYOUT, values),)))
        (held,) = head.select((), 0, 2 * NOW)
        burst = Burst(f"{len(self.kept):x}", reason, NOW + 1000, 100, Snapshot(held, head.metadata()))
        self.kept.insert(0, burst)
        return burst


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def options(options: dict[str, Any], keeper: Keeper) -> dict[str, Any]:
    return {**options, "keeper": keeper}


async def keep(ask: Ask, body: str = '{"reason": "slow"}', headers: dict[str, str] = JSON) -> Any:
    return await ask("/api/v1/burst", method="POST", body=body, headers=headers)


@pytest.mark.gen_test
async def test_what_is_kept_is_listed(ask: Ask) -> None:
    empty = json.loads((await ask("/api/v1/burst")).body)
    about = {"enabled": True, "length": 60.0, "step": 0.1, "cost": 0.004}
    assert empty == {"status": "success", "data": {**about, "bursts": []}}
    answer = await keep(ask)
    assert answer.code == 201
    made = json.loads(answer.body)["data"]
    seconds = NOW / 1000
    assert made == {
        "id": "0",
        "reason": "slow",
        "time": seconds + 1,
        "start": seconds,
        "end": seconds + 1,
        "step": 0.1,
    }
    assert json.loads((await ask("/api/v1/burst")).body)["data"]["bursts"] == [made]


@pytest.mark.gen_test
async def test_a_burst_is_given_in_columns(ask: Ask) -> None:
    await keep(ask)
    data = json.loads((await ask("/api/v1/burst/0")).body)["data"]
    assert data["times"][:2] == [NOW / 1000, NOW / 1000 + 0.1]
    told = {each["metric"].get("mode", "load"): each["type"] for each in data["series"]}
    assert told == {"load": "gauge", "user": "counter", "idle": "counter"}
    by_mode = {
        each["metric"].get("mode"): row for each, row in zip(data["series"], data["values"], strict=True)
    }
    assert by_mode[None][:3] == [0.5, 1.5, 2.5]
    assert by_mode["idle"] == [None] * 11
    assert (await ask("/api/v1/burst/7")).code == 404


@pytest.mark.gen_test
async def test_a_burst_of_too_many_values_is_refused_with_a_reason(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(ask)
    monkeypatch.setattr("monitor.server.api.VALUES", 32)
    answer = await ask("/api/v1/burst/0")
    assert (answer.code, json.loads(answer.body)["errorType"]) == (422, "execution")
    assert "33 values are more than 32" in json.loads(answer.body)["error"]


@pytest.mark.gen_test
async def test_a_burst_is_asked_like_history(ask: Ask) -> None:
    await keep(ask)
    start, end = NOW / 1000 + 0.5, NOW / 1000 + 1
    query = "rate(node_cpu_seconds_total%7Bmode=%22user%22%7D%5B500ms%5D)"
    path = f"/api/v1/burst/0/query_range?query={query}&start={start}&end={end}&step=0.1"
    (found,) = json.loads((await ask(path)).body)["data"]["result"]
    assert len(found["values"]) == 6
    assert all(abs(float(value) - 0.25) < 1e-6 for _, value in found["values"])
    assert (await ask(path.replace("/0/", "/1/"))).code == 404


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "body",
    ["", "[]", "{", "[" * 4000, '{"reason": 1}', '{"reason": "\\n"}', '{"reason": "' + "x" * 201 + '"}'],
)
async def test_a_request_that_is_none_keeps_nothing(ask: Ask, keeper: Keeper, body: str) -> None:
    answer = await keep(ask, body)
    assert (answer.code, json.loads(answer.body)["errorType"]) == (400, "bad_data")
    assert not keeper.kept


@pytest.mark.gen_test
async def test_no_form_can_keep(ask: Ask, keeper: Keeper) -> None:
    answer = await keep(ask, headers={"Content-Type": "text/plain"})
    assert (answer.code, keeper.kept) == (415, [])


@pytest.mark.gen_test
async def test_who_records_nothing_says_so(ask: Ask, keeper: Keeper) -> None:
    keeper.enabled = False
    answer = await keep(ask)
    assert answer.code == 409
    assert "collect.burst.enabled" in json.loads(answer.body)["error"]
