"""Each seam in the past has its mark, and nothing else has one."""

import pytest

from monitor.model import Event
from monitor.storage.seams import Seams, words

NOW = 1_764_000_000_000
HOUR, DAY, YEAR = 3_600_000, 86_400_000, 365 * 86_400_000


class Machine:
    """Its two clocks, in ms, and what is marked."""

    def __init__(self, past: int = 0) -> None:
        self.wall, self.steady = NOW, 5_000
        self.marks: list[Event] = []
        self.seams = Seams(self.marks.append, lambda: self.wall / 1000, lambda: self.steady / 1000)
        self.seams.past = past

    def row(self, after: int = 1000, set_by: int = 0) -> None:
        self.steady += after
        self.wall += after + set_by
        self.seams.met(self.wall)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(mark.kind, mark.text) for mark in self.marks]


@pytest.mark.parametrize(("by", "text"), [(HOUR, "60 minutes"), (DAY, "24 hours"), (10 * YEAR, "10 years")])
def test_a_step_of_the_clock_is_marked(by: int, text: str) -> None:
    machine = Machine()
    machine.row()
    machine.row(set_by=by)
    machine.row()
    assert machine.told == [("clock", f"the clock was set on by {text}")]
    assert machine.marks[0][:2] == (NOW + 1000, NOW + 2000 + by)


def test_a_step_back_is_marked_where_it_happened() -> None:
    machine = Machine()
    machine.row()
    machine.steady += 1000
    machine.wall += 1000 - HOUR
    # Timestamps go on as they went, ahead of the clock.
    machine.seams.met(NOW + 2000)
    machine.seams.met(NOW + 3000)
    text = "the clock was set back by 60 minutes; times go on as before, ahead of it"
    assert machine.marks == [Event(NOW + 2000, NOW + 2000, "clock", text)]


def test_sleep_is_a_gap_and_no_step() -> None:
    machine = Machine()
    machine.row()
    machine.row(after=HOUR)
    assert machine.told == [("gap", "nothing was measured for 60 minutes")]


def test_what_is_slewed_and_what_comes_late_is_nothing() -> None:
    machine = Machine()
    for _ in range(100):
        machine.row(after=1000, set_by=400)
        machine.row(after=9000, set_by=-400)
        machine.seams.met(machine.wall - 5000)
    assert machine.told == []


def test_the_start_is_joined_to_what_was_stored_before() -> None:
    after, before = Machine(past=NOW - HOUR), Machine(past=NOW + DAY)
    for machine in (after, before):
        machine.row()
        machine.row()
    assert after.told == [("gap", "the service did not run for 60 minutes")]
    assert after.marks[0][:2] == (NOW - HOUR, NOW + 1000)
    assert before.told == [("clock", "the clock stands 23 hours before the newest stored sample")]


def test_lengths_of_time_are_told_roughly() -> None:
    lengths = (9_999, 119_999, 2 * HOUR - 1, 2 * DAY, 2 * YEAR)
    told = [words(each) for each in lengths]
    assert told == ["9 seconds", "119 seconds", "119 minutes", "2 days", "2 years"]
