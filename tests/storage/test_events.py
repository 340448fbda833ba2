"""Events outlive the process, whatever a power cut left of the last line."""

from pathlib import Path

from monitor.model import Event
from monitor.storage.events import Events

GAP = Event(10, 20, "gap", "the service did not run")
STEP = Event(30, 30, "clock", "set back")


def test_events_are_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = Events(path)
    events.add(STEP)
    events.write()
    events.add(GAP)
    events.write()
    assert Events(path).between(0, 100) == [GAP, STEP]


def test_those_that_touch_a_range_are_told(tmp_path: Path) -> None:
    events = Events(tmp_path / "events.jsonl")
    events.add(GAP)
    events.add(STEP)
    assert events.between(20, 29) == [GAP]
    assert events.between(21, 30) == [STEP]
    assert events.between(21, 29) == []


def test_a_line_that_is_none_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = Events(path)
    events.add(GAP)
    events.add(STEP)
    events.write()
    path.write_text(path.read_text()[:-9] + '\n[1]\n{"time": 1}\n')
    assert Events(path).between(0, 100) == [GAP]


def test_events_that_find_no_room_are_written_whole_later(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = Events(path)
    first, second = Event(1, 2, "gap", "first"), Event(3, 4, "gap", "second")
    events.add(first)
    events.write()
    path.write_text(path.read_text() + '{"time": 3, "en')
    events.add(second)
    events.write()
    assert Events(path).between(0, 9) == [first, second]
