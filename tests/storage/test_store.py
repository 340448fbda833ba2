"""The store as a whole: what was appended is there afterwards, whatever happened in between."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from monitor.model import Block, Kind, Labels, Layout, Metric, Scrape
from monitor.storage import Look, Matcher, Selection, writer
from monitor.storage.head import Head
from monitor.storage.store import Retention, Store, StoreError, locked
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, RAW

HITS = Metric("hits_total", Kind.COUNTER, "How often.")
HEAT = Metric("heat", Kind.GAUGE, "How hot.", "celsius")
LAYOUT = Layout([HITS.at(of="a"), HITS.at(of="b"), HEAT.at()])
HOST: Labels = (("instance", "here"), ("job", "node"))
START = 1_764_000_000_000 // HOUR * HOUR
EVERYTHING: tuple[Matcher, ...] = ()


class Machine:
    """A host that is measured each second by services that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.set_by = folder, START, 0
        """`now` is the wall clock, ms; `set_by` tells by how much it was set while a service runs."""
        self.store = self.start()
        self.measured: dict[int, tuple[float, ...]] = {}

    def start(self) -> Store:
        head = Head(17 * MINUTE, rows=2_000)
        store = Store(
            head,
            self.folder,
            Retention(),
            lambda: self.now / 1000,
            steady=lambda: (self.now - self.set_by) / 1000,
        )
        store.start()
        return store

    def run(self, seconds: int, step: int = 1000) -> None:
        """So many seconds go by."""
        for time in range(self.now + step, self.now + seconds * 1000 + 1, step):
            self.now = time
            # One counter is reset every 700 s, and not on a minute's border.
            count = (time - START) // 1000
            values = float(count), float(count % 700), round(20 + 5 * np.sin(count / 50), 2)
            self.store.append(Scrape(time, HOST, (Block(LAYOUT, values),)))
            self.measured[time] = values
        self.settle()

    def settle(self) -> None:
        """The writer has done all that it was given."""
        assert self.store.flush().wait(60)

    def kill(self) -> None:
        """What a kill leaves: nothing more is written."""
        self.settle()
        self.leave()
        self.store = self.start()

    def leave(self) -> None:
        """Nothing is open any more, and nothing is written."""
        self.store.writer.abandon()
        self.store.keeper.close()
        self.store.shelf.close()
        os.close(self.store._lock)

    def stop(self) -> None:
        self.store.close()

    def select(self, start: int, end: int, look: Look | None = None) -> Selection:
        (selection,) = self.store.history.select(EVERYTHING, start, end, look or Look())
        return selection

    def stored(self) -> dict[int, tuple[float, ...]]:
        """All samples, by time, in the order of the layout."""
        selection = self.select(0, self.now)
        order = [names.index((metric, of)) for metric, of in WANTED for names in [named(selection)]]
        values = selection.values[:, order]
        return {
            time: tuple(row) for time, row in zip(selection.timestamps.tolist(), values.tolist(), strict=True)
        }


WANTED = [("hits_total", "a"), ("hits_total", "b"), ("heat", "")]


def named(selection: Selection) -> list[tuple[str, str]]:
    return [(dict(labels)["__name__"], dict(labels).get("of", "")) for labels in selection.series.labels]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "history")
    yield machine
    machine.stop()


def test_what_was_measured_is_read_across_slots(machine: Machine) -> None:
    machine.run(40 * 60)
    assert machine.stored() == machine.measured
    assert machine.store.head.oldest() == machine.now - 17 * MINUTE + 1000


def test_a_kill_takes_nothing_that_was_logged_and_doubles_nothing(machine: Machine) -> None:
    for seconds in (1, 59, 14 * 60 - 1, 61, 2, 20 * 60):
        machine.run(seconds)
        machine.kill()
        assert machine.stored() == machine.measured
        # Live charts have their past back.
        assert machine.store.head.oldest() == max(START + 1000, machine.now - 17 * MINUTE + 1000)


def test_a_stop_and_a_start_keep_everything(machine: Machine) -> None:
    machine.run(100)
    machine.stop()
    machine.now += 3 * HOUR
    machine.store = machine.start()
    machine.run(100)
    assert machine.stored() == machine.measured
    (gap,) = machine.store.events.between(START, machine.now)
    assert (gap.kind, gap.text) == ("gap", "the service did not run for 3 hours")
    assert (gap.time, gap.end) == (START + 100_000, START + 100_000 + 3 * HOUR + 1000)


@pytest.mark.parametrize("killed_at", [(), (3599,), (3601, 30), (60, 60, 60)])
def test_minutes_and_hours_tell_of_every_sample_whatever_was_killed(
    machine: Machine, killed_at: tuple[int, ...]
) -> None:
    for seconds in killed_at:
        machine.run(seconds)
        machine.kill()
    machine.run(2 * 3600 + 70 - sum(killed_at))
    for tier in (MINUTES, HOURS):
        look = Look(tier.step, ("min", "max", "sum", "count", "lost"))
        end = START + 2 * HOUR
        selection = machine.select(START + 1, end, look)
        assert selection.timestamps.tolist() == list(range(START + tier.step, end + 1, tier.step))
        assert selection.parts is not None
        place = named(selection).index(("heat", ""))
        fall = named(selection).index(("hits_total", "b"))
        for row, time in enumerate(selection.timestamps.tolist()):
            samples = [machine.measured[each] for each in range(time - tier.step + 1000, time + 1, 1000)]
            heat = [sample[2] for sample in samples]
            assert selection.parts["max"][row, place] == max(heat)
            assert selection.parts["min"][row, place] == min(heat)
            assert selection.parts["count"][row, place] == len(heat)
            assert selection.parts["sum"][row, place] == pytest.approx(sum(heat), rel=1e-12)
            before = machine.measured.get(time - tier.step, (0.0, 0.0, 0.0))[1]
            rise = selection.values[row, fall] + selection.parts["lost"][row, fall] - before
            # Each reset also swallows the step that it stands for.
            resets = sum(sample[1] == 0 for sample in samples)
            assert rise == len(samples) - resets


@pytest.mark.parametrize("away", [200, 4 * 3600 + 200])
@pytest.mark.parametrize("killed", [False, True])
def test_a_counter_that_was_reset_while_nothing_was_measured_has_lost_what_it_had(
    machine: Machine, away: int, killed: bool
) -> None:
    machine.run(600)
    machine.now += away * 1000
    if killed:
        machine.kill()
    machine.run(400)
    samples = [values[1] for _, values in sorted(machine.measured.items())]
    falls = [before for before, after in pairwise(samples) if after < before]
    assert 600 in falls
    assert told_lost(machine, "b") == sum(falls)


def test_a_counter_that_was_missing_when_a_minute_ended_is_compared_with_its_last_sample(
    machine: Machine,
) -> None:
    layout = Layout([HITS.at(of="c")])
    for second, value in ((1, 70.0), (58, 90.0), (59, None), (61, None), (63, 5.0), (190, 3.0), (250, 4.0)):
        blocks = () if value is None else (Block(layout, (value,)),)
        machine.store.append(Scrape(START + second * 1000, HOST, blocks))
    machine.settle()
    machine.now = START + 250_000
    assert told_lost(machine, "c") == 90 + 5


def told_lost(machine: Machine, of: str) -> float:
    """What the minutes say that a counter had whenever it was reset."""
    selection = machine.select(START + 1, machine.now // MINUTE * MINUTE, Look(MINUTE, ("lost",)))
    assert selection.parts is not None
    return float(np.nansum(selection.parts["lost"][:, named(selection).index(("hits_total", of))]))


def test_a_target_that_falls_silent_is_closed_with_the_others(machine: Machine) -> None:
    silent: Labels = (("instance", "gone"),)
    machine.run(60)
    machine.store.append(Scrape(machine.now, silent, (Block(Layout([HEAT.at()]), (1.0,)),)))
    machine.run(20 * 60)
    machine.store.writer.sync()
    machine.settle()
    assert machine.store.shelf.has(RAW, silent, RAW.slot_at(START + MINUTE))


def test_a_clock_that_was_set_back_loses_no_past_and_leaves_a_mark(machine: Machine) -> None:
    machine.run(1000)
    machine.stop()
    machine.now -= 500_000
    before = dict(machine.measured)
    machine.store = machine.start()
    for time in range(machine.now + 1000, machine.now + 100_000, 1000):
        machine.store.append(Scrape(time + 7, HOST, (Block(LAYOUT, (0.0, 0.0, -1.0)),)))
        machine.measured[time + 7] = (0.0, 0.0, -1.0)
    machine.settle()
    machine.now = START + HOUR
    assert before.items() <= machine.stored().items()
    assert [event.kind for event in machine.store.events.between(0, machine.now)] == ["clock"]


def test_a_second_process_on_the_same_folder_is_refused(machine: Machine) -> None:
    with pytest.raises(StoreError, match="in use by another process"):
        Store(Head(), machine.folder, Retention(), lambda: 0.0)


def test_a_file_system_without_locks_is_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(StoreError, match=r"cannot lock files .*No locks available.*set another storage.path"):
        locked(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Not a directory; .*storage.path.*storage.history.enabled=false"):
        Store(Head(), tmp_path / "file" / "history", Retention(), lambda: 0.0)


def test_a_damaged_log_and_a_file_that_is_none_are_named_and_the_rest_is_served(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.run(300)
    machine.settle()
    machine.leave()
    (log,) = machine.folder.glob("raw-*.log")
    content = bytearray(log.read_bytes().rstrip(b"\0"))
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    (machine.folder / "raw-notes.log").write_text("mine")
    machine.store = machine.start()
    lost = machine.measured.items() - machine.stored().items()
    (damage,) = machine.store.shelf.damage
    assert damage.when is not None
    assert all(damage.when[0] <= time <= damage.when[1] for time, _ in lost)
    assert 0 < len(lost) <= 60
    assert [event.kind for event in machine.store.events.between(*damage.when)] == ["damage"]
    assert f"history is damaged: {log.name}: some of its rows" in caplog.text
    caplog.clear()


def test_retention_is_counted_in_files() -> None:
    files = Retention(raw=7 * 86_400, minutes=90 * 86_400, hours=1826 * 86_400).files()
    assert files == {RAW: 29, MINUTES: 24, HOURS: 9}


Disk = Callable[[], None]


def test_rows_that_find_no_room_are_stored_when_there_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    machine.run(30)
    with monkeypatch.context() as full:

        def refuse(*_: object) -> int:
            raise OSError(28, "No space left on device")

        full.setattr(os, "pwrite", refuse)
        machine.run(20)
        assert machine.store.writer.trouble == "disk full"
        assert machine.store.writer.lost == 20
    machine.run(15 * 60)
    machine.store.writer.sync()
    machine.settle()
    assert machine.store.writer.trouble == ""
    assert machine.stored() == machine.measured
    assert "history is paused: disk full" in caplog.text
    caplog.clear()


def at(time: int, *values: float) -> Scrape:
    return Scrape(time, HOST, (Block(LAYOUT, values),))


@pytest.mark.parametrize(
    "back", [100_000, 20 * MINUTE], ids=["in the same slot", "into a slot that is closed"]
)
def test_rows_after_a_clock_was_set_back_outlive_a_kill(machine: Machine, back: int) -> None:
    machine.run(31 * 60)
    machine.stop()
    machine.now -= back
    machine.store = machine.start()
    for time in range(machine.now + 1000, machine.now + 10_000, 1000):
        machine.store.append(at(time + 7, 1.0, 2.0, time))
        machine.measured[time + 7] = (1.0, 2.0, time)
    # What was there before goes into a file; the log of what came since stays.
    machine.store.writer.sync()
    machine.kill()
    machine.now = START + HOUR
    assert machine.stored() == machine.measured


def test_a_minute_that_was_cut_short_counts_each_sample_once(machine: Machine) -> None:
    machine.run(230)
    machine.stop()
    # Late by ten seconds at first, the clock is right again when the next sample comes.
    machine.now -= 10_000
    machine.store = machine.start()
    machine.now += 10_000
    machine.run(100)
    selection = machine.select(START + 1, START + 5 * MINUTE, Look(MINUTE, ("count",)))
    assert selection.parts is not None
    assert selection.timestamps.tolist() == [START + each * 1000 for each in (60, 120, 180, 230, 240, 300)]
    assert selection.parts["count"][:, 0].tolist() == [60, 60, 60, 50, 10, 60]


AHEAD = 10 * 366 * 24 * HOUR


def test_hours_are_rolled_up_after_a_clock_that_was_ahead(machine: Machine) -> None:
    machine.run(60)
    machine.now += AHEAD
    machine.set_by += AHEAD
    machine.run(3 * 3600, step=5000)
    machine.stop()
    machine.now = START + HOUR
    machine.store = machine.start()
    before = machine.now
    machine.run(2 * 3600 + 65, step=5000)
    machine.stop()
    machine.store = machine.start()
    look = Look(HOUR, ("count",))
    selection = machine.select(before + 1, before + 2 * HOUR, look)
    assert selection.timestamps.tolist() == [before + HOUR, before + 2 * HOUR]
    assert selection.parts is not None
    assert selection.parts["count"].tolist() == [[720.0] * 3] * 2
    marks = [
        event.text for event in machine.store.events.between(before, machine.now) if event.kind == "clock"
    ]
    assert machine.store.strays == (START + 60_000 + AHEAD + 5000, START + 60_000 + AHEAD + 3 * HOUR)
    assert marks == [
        "the clock was set on by 10 years",
        "the clock stands 10 years before the newest stored sample",
    ]


def test_a_slot_that_is_larger_than_all_that_may_wait_costs_no_row(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.run(14 * 60)
    # A row fits, a slot of them does not: so it is with a target of tens of thousands of series.
    monkeypatch.setattr(writer, "MOST_WAITING", 8 * 4 * LAYOUT_BYTES)
    for _ in range(120):
        machine.run(1)
    assert machine.store.writer.lost == 0
    assert machine.stored() == machine.measured


LAYOUT_BYTES = 8 * 128
"""Of a row in memory, with its spare columns."""
