"""Each collector over the files of recorded machines, against its golden page."""

import os

import pytest

from monitor.collect import COLLECTORS
from tests.collect.samples import HERE, collected, collector, host, page

MACHINES = ("recorded", "desktop")


@pytest.mark.parametrize("name", COLLECTORS)
@pytest.mark.parametrize("machine", MACHINES)
def test_a_collector_reads_a_recorded_machine_as_its_golden_page_says(machine: str, name: str) -> None:
    golden = HERE / "goldens" / machine / f"{name}.txt"
    found = page(collected(collector(name), host(machine)))
    if os.environ.get("MONITOR_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(found)
    assert found == golden.read_text()


@pytest.mark.parametrize("name", sorted(COLLECTORS.keys() - {"filesystem"}))
def test_a_layout_stays_the_same_object_from_pass_to_pass(name: str) -> None:
    source, machine = COLLECTORS[name](), host("desktop")
    passes = []
    for _ in range(2):
        machine.fresh()
        passes.append([block.layout for block in collected(source, machine)])
    assert all(now is before for before, now in zip(*passes, strict=True))


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_collector_has_a_file_of_its_own_that_says_where_its_numbers_come_from(name: str) -> None:
    module = __import__(f"monitor.collect.{name}", fromlist=["__doc__"])
    assert type(COLLECTORS[name]()).__module__ == module.__name__
    assert module.__doc__


def test_no_golden_page_is_left_from_a_collector_that_is_gone() -> None:
    pages = {path.stem for path in (HERE / "goldens").rglob("*.txt")}
    assert pages == set(COLLECTORS)
