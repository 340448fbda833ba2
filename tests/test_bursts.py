"""Bursts of a running service: recorded, kept in bounds, and never in the way of the pass each second."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from monitor.app import Service
from monitor.bursts import Bursts
from monitor.bus import Isolation
from monitor.config import Settings
from monitor.model import Block, Kind, Layout, Metric, Scrape
from tests.conftest import ExpectLog

TARGET = (("instance", "here"), ("job", "node"))
LAYOUT = Layout([Metric("one", Kind.GAUGE, "One.").at()])


def settings(tmp_path: Path, **burst: object) -> Settings:
    always = {"server": {"listen": "127.0.0.1:0"}, "storage": {"path": str(tmp_path)}}
    who, collect = {"anonymous": "operator"}, {"burst": {"enabled": True, **burst}}
    return Settings.model_validate({**always, "access": who, "collect": collect}, context={})


class Clock:
    def __init__(self) -> None:
        self.now = 1_764_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def filled(bursts: Bursts, clock: Clock) -> None:
    """One more row."""
    clock.now += 0.1
    bursts.held.append(Scrape(round(clock.now * 1000), TARGET, (Block(LAYOUT, [clock.now]),)))


def test_the_newest_are_kept_and_the_old_go(tmp_path: Path, clock: Clock) -> None:
    bursts = Bursts(settings(tmp_path, keep=2, age="1m"), TARGET, clock)
    assert bursts.keep("too early") is None
    for reason in ("first", "second", "third"):
        filled(bursts, clock)
        assert bursts.keep(reason)
    assert [each.reason for each in bursts.kept] == ["third", "second"]
    assert len({each.id for each in bursts.kept}) == 2
    clock.now += 59.95
    assert [each.reason for each in bursts.kept] == ["third"]
    clock.now += 1
    assert bursts.kept == []


def test_only_the_newest_past_is_held(tmp_path: Path, clock: Clock) -> None:
    bursts = Bursts(settings(tmp_path, length="10s"), TARGET, clock)
    for _ in range(300):
        filled(bursts, clock)
    kept = bursts.keep("")
    assert kept is not None
    told = kept.told()
    assert told["end"] - told["start"] == pytest.approx(9.9)


def test_what_cannot_be_held_ends_neither_recording_nor_the_service(
    tmp_path: Path, clock: Clock, expect_log: ExpectLog
) -> None:
    bursts = Bursts(settings(tmp_path), TARGET, clock, Isolation())
    assert bursts.recorder
    for timestamp in (1000, 1000, 2000):
        bursts.recorder._accept(Scrape(timestamp, TARGET, (Block(LAYOUT, [1.0]),)))
    expect_log("recording of bursts failed")
    kept = bursts.keep("")
    assert kept
    assert kept.told()["end"] == 2.0


def test_one_that_is_switched_off_holds_nothing(tmp_path: Path, clock: Clock) -> None:
    bursts = Bursts(settings(tmp_path, enabled=False), TARGET, clock)
    assert (bursts.recorder, bursts.spent, bursts.keep("")) == (None, 0.0, None)


@pytest.mark.gen_test(timeout=20)
async def test_a_running_service_keeps_what_it_recorded(tmp_path: Path) -> None:
    service = Service(settings(tmp_path, interval="50ms"))
    client = AsyncHTTPClient()
    async with service.running() as url:
        for _ in range(2):
            await service.scraped.wait()
            service.scraped.clear()
        answer = await client.fetch(
            f"{url}api/v1/burst",
            method="POST",
            body='{"reason": "a test"}',
            headers={"Content-Type": "application/json"},
        )
        kept = json.loads(answer.body)["data"]
        data = json.loads((await client.fetch(f"{url}api/v1/burst/{kept['id']}")).body)["data"]
        figures = (await client.fetch(f"{url}metrics")).body.decode()
    names = {each["metric"]["__name__"] for each in data["series"]}
    assert {"node_cpu_seconds_total", "node_network_receive_bytes_total", "node_procs_running"} <= names
    assert len(data["times"]) > 3
    assert all(round(time * 1000) % 50 == 25 for time in data["times"])
    spent = figures.partition("\nmonitor_burst_cpu_seconds_total ")[2].split()[0]
    assert float(spent) > 0
