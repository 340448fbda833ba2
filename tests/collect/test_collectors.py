"""Each collector over the files of recorded machines, against its golden page."""

import os
import subprocess
import sys

import pytest

from monitor.collect import COLLECTORS, Background
from tests.collect.samples import FIXTURES, HERE, collected, collector, host, page

MACHINES = sorted(path.name for path in FIXTURES.iterdir())


def found(machine: str, name: str) -> str | None:
    """What a collector finds on a recorded machine; None where that has no such thing."""
    recorded = host(machine)
    try:
        return page(collected(collector(name), recorded))
    except FileNotFoundError:
        return None
    finally:
        recorded.close()


@pytest.mark.parametrize("name", COLLECTORS)
@pytest.mark.parametrize("machine", MACHINES)
def test_a_collector_reads_a_recorded_machine_as_its_golden_page_says(machine: str, name: str) -> None:
    golden = HERE / "goldens" / machine / f"{name}.txt"
    text = found(machine, name)
    if os.environ.get("MONITOR_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.unlink(missing_ok=True)
        if text is not None:
            golden.write_text(text)
    assert text == (golden.read_text() if golden.exists() else None)


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_collector_has_a_recorded_machine_with_samples_and_keeps_its_layouts(name: str) -> None:
    pages = [HERE / "goldens" / machine / f"{name}.txt" for machine in MACHINES]
    machine = next(path.parent.name for path in pages if path.exists() and path.read_text())
    source, recorded = collector(name), host(machine)
    if isinstance(source, Background):
        return  # It keeps its last answer itself.
    passes = []
    for now in (0, 100):
        recorded.fresh(now)
        passes.append([block.layout for block in collected(source, recorded)])
    recorded.close()
    assert all(now is before for before, now in zip(*passes, strict=True))


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_collector_has_a_file_of_its_own_that_says_where_its_numbers_come_from(name: str) -> None:
    assert COLLECTORS[name].file == name
    assert sys.modules[COLLECTORS[name].kind.__module__].__doc__


def test_no_golden_page_is_left_from_a_collector_that_is_gone() -> None:
    pages = {path.stem for path in (HERE / "goldens").rglob("*.txt")}
    assert pages == set(COLLECTORS)


def test_what_is_switched_off_is_not_loaded() -> None:
    code = "import sys, monitor.collect; print(*sorted(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert "monitor.collect.loop" in loaded
    assert not {f"monitor.collect.{name}" for name in COLLECTORS} & set(loaded)
