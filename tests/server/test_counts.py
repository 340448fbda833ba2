"""What a worker counts reaches the sums of the service, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.server.counts import NUMBERS, Counts, add
from monitor.telemetry import Telemetry


@pytest.fixture
def here() -> Iterator[Telemetry]:
    held = Telemetry("0")
    yield held
    held.close()


@pytest.fixture
def there() -> Iterator[Telemetry]:
    held = Telemetry("0")
    yield held
    held.close()


def value(telemetry: Telemetry, name: str, **labels: str) -> float:
    """The sample of this name, of whatever block."""
    for block in telemetry.blocks():
        for series, number in zip(block.layout.series, block.values, strict=True):
            if series.name == name and labels.items() <= dict(series.labels).items():
                return number
    raise LookupError(name)


def test_differences_are_added_and_told_once(here: Telemetry, there: Telemetry) -> None:
    counts = Counts(there)
    here.frames_sent = 5
    there.frames_sent, there.gone["lost"] = 3, 1
    there.lag_seconds.observe(0.03)
    add(here, counts.since(), "1")
    add(here, counts.since(), "1")
    there.frames_sent += 1
    there.gone["lost"] += 1
    there.lag_seconds.observe(20.0)
    add(here, counts.since(), "1")
    assert (here.frames_sent, here.gone["lost"]) == (9, 2)
    assert (here.lag_seconds.count, here.lag_seconds.sum) == (2, 20.03)


def test_the_audience_of_a_worker_is_part_of_the_whole(here: Telemetry, there: Telemetry) -> None:
    here.clients, there.clients, there.parked = 2, 3, 1
    add(here, Counts(there).since(), "1")
    assert value(here, "monitor_clients") == 5
    assert value(here, "monitor_clients_parked") == 1
    assert value(here, "monitor_worker_clients", worker="1") == 3
    del here.workers["1"]
    assert value(here, "monitor_clients") == 2
    with pytest.raises(LookupError):
        value(here, "monitor_worker_clients")


def test_layouts_stay_while_the_same_workers_run(here: Telemetry, there: Telemetry) -> None:
    counts = Counts(there)
    add(here, counts.since(), "1")
    before = here.blocks()[-1].layout
    add(here, counts.since(), "1")
    assert here.blocks()[-1].layout is before


def test_every_number_is_one_of_the_telemetry(here: Telemetry) -> None:
    assert all(isinstance(getattr(here, name), int) for name in NUMBERS)
