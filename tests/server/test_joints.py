"""What /api/v1/query_range answers over restarts, kills and jumps of the clock: all that was measured."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from monitor.model import Block, Scrape
from monitor.promql import Archive
from monitor.storage.head import Head
from monitor.storage.store import Retention, Store

from .conftest import LAYOUT, TARGET, Ask

QUARTER = 900_000
START = 1_764_000_000_000 // QUARTER * QUARTER
HOURS_2 = 7_200_000
SHORT = 60_000
"""Of memory (ms), so that most is read from history."""


class Machine:
    """One host that measures once a second; its load is the number of the sample."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.now, self.set_by = folder, START, 0
        self.measured: dict[int, float] = {}
        self.store = self.begun()

    def begun(self) -> Store:
        wall, steady = lambda: self.now / 1000, lambda: (self.now - self.set_by) / 1000
        store = Store(Head(), self._folder, Retention(), wall, steady=steady)
        store.start()
        return store

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1000
            number = float(len(self.measured))
            self.store.append(Scrape(self.now, TARGET, (Block(LAYOUT, (number, number, 0.0)),)))
            self.measured[self.now] = number

    def stop(self) -> None:
        self.store.close()
        self.store = self.begun()

    def kill(self) -> None:
        assert self.store.flush().wait(60)
        self.store.writer.abandon()
        os.close(self.store._lock)
        self.store = self.begun()

    def jump(self, seconds: int) -> None:
        """The clock is set on."""
        self.now += seconds * 1000
        self.set_by += seconds * 1000


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "history")
    machine.run(1000)
    machine.stop()
    machine.run(700)
    machine.kill()
    machine.run(100)
    machine.jump(7200)
    machine.run(500)
    machine.kill()
    machine.jump(86_400)
    machine.run(400)
    assert machine.store.flush().wait(60)
    yield machine
    machine.store.close()


@pytest.fixture
def options(options: dict[str, Any], machine: Machine) -> Iterator[dict[str, Any]]:
    store = machine.store
    archive = Archive(store.head, store.history, SHORT, begins=lambda: store.begins)
    yield {**options, "storage": store.head, "archive": archive, "clock": lambda: machine.now / 1000}
    archive.close()


async def points(ask: Ask, query: str, start: int, end: int, step: int) -> dict[int, float]:
    """The answer for one series, by time in ms."""
    asked = {"query": query, "start": start / 1000, "end": end / 1000, "step": step / 1000}
    answer = await ask("/api/v1/query_range?" + urlencode(asked))
    assert answer.code == 200, answer.body
    (series,) = json.loads(answer.body)["data"]["result"]
    return {round(at * 1000): float(value) for at, value in series["values"]}


@pytest.mark.gen_test
async def test_every_sample_is_there_on_both_sides_of_each_joint(ask: Ask, machine: Machine) -> None:
    times = sorted(machine.measured)
    for start in range(START, machine.now, HOURS_2):
        some = {time: machine.measured[time] for time in times if start <= time < start + HOURS_2}
        # A window of a second tells of its own sample alone: what is missing is not filled from before.
        query = "last_over_time(node_load1[1s])"
        if some:
            assert await points(ask, query, start, start + HOURS_2 - 1000, 1000) == some
    assert times[-1] == machine.now


@pytest.mark.gen_test
async def test_minutes_over_all_joints_count_every_sample(ask: Ask, machine: Machine) -> None:
    end = -(-machine.now // 600_000) * 600_000
    found = await points(
        ask, "sum_over_time(node_load1[10m]) / avg_over_time(node_load1[10m])", START, end, 600_000
    )
    assert sum(found.values()) == pytest.approx(len(machine.measured))
    highest = await points(ask, "max_over_time(node_load1[10m])", START, end, 600_000)
    assert max(highest.values()) == len(machine.measured) - 1


@pytest.mark.gen_test
async def test_a_counter_rises_over_all_joints_by_what_it_rose(ask: Ask, machine: Machine) -> None:
    query = 'increase(node_cpu_seconds_total{mode="user"}[30m])'
    (found,) = (await points(ask, query, START + 1_800_000, START + 1_800_000, 1000)).values()
    # The first 1,800 samples, whose first is at the first second: see Prometheus on extrapolation.
    assert found == pytest.approx(1800, rel=0.01)
