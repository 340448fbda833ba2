"""What is imported is there afterwards as if it had been measured here: samples, minutes and hours."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from monitor.model import Labels, Track
from monitor.storage import Aspect, Look
from monitor.storage.load import Loaded, load
from monitor.storage.shelf import Shelf
from monitor.storage.staging import Staging, StagingError
from monitor.storage.store import locked
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, RAW, Tier
from monitor.storage.unload import Unload, Wanted
from tests.storage.test_store import EVERYTHING, HOST, START, Machine, named

ASPECTS: tuple[Aspect, ...] = ("min", "max", "sum", "count", "lost")


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


def exported(machine: Machine) -> list[Track]:
    unload = Unload(machine.folder, Wanted(RAW, ()))
    tracks = [track for group in unload.groups(quiet) for track in group]
    unload.close()
    return tracks


def imported(folder: Path, tracks: Iterable[Track]) -> Loaded:
    """As the command does it."""
    lock = open(locked(folder))  # noqa: PTH123, SIM115
    with Staging(folder / "import.part") as staging:
        for track in tracks:
            staging.add(track)
        loaded = load(folder, staging, quiet)
    lock.close()
    assert not (folder / "import.part").exists()
    return loaded


Told = dict[tuple[str, str, int, str], float]


def told(machine: Machine, tier: Tier, end: int) -> Told:
    """What whole rows up to a time tell, by series, time and aspect."""
    [selection] = machine.store.history.select(EVERYTHING, START + 1, end, Look(tier.step, ASPECTS))
    assert selection.parts is not None
    found: Told = {}
    for place, (name, of) in enumerate(named(selection)):
        for aspect, values in {"last": selection.values, **selection.parts}.items():
            column = zip(selection.timestamps.tolist(), values[:, place].tolist(), strict=True)
            found.update({(name, of, time, aspect): value for time, value in column})
    return found


def second(machine: Machine, folder: Path) -> Machine:
    """Another machine at the same time."""
    other = Machine(folder)
    other.now = machine.now
    return other


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Two hours and a bit."""
    machine = Machine(tmp_path_factory.mktemp("source") / "history")
    machine.run(2 * 3600 + 130, step=5000)
    machine.stop()
    machine.store = machine.start()
    yield machine
    machine.stop()


def test_what_was_measured_elsewhere_is_as_if_it_had_been_here(source: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    tracks = exported(source)
    assert imported(folder, tracks) == Loaded(3 * len(source.measured), {})
    other = second(source, folder)
    assert other.stored() == source.measured
    for tier in (MINUTES, HOURS):
        assert told(other, tier, START + 2 * HOUR) == told(source, tier, START + 2 * HOUR)
    other.stop()


def test_the_order_of_samples_does_not_matter(source: Machine, tmp_path: Path) -> None:
    single = [
        Track(track.labels, track.metric, track.times[at : at + 1], track.values[:, at : at + 1])
        for track in exported(source)
        for at in range(0, len(track.times), 7)
    ]
    random.Random(1).shuffle(single)
    folder = tmp_path / "history"
    folder.mkdir()
    assert imported(folder, single).samples == len(single)
    unload = Unload(folder, Wanted(RAW, ()))
    found = {
        (track.labels, time): value
        for group in unload.groups(quiet)
        for track in group
        for time, value in zip(track.times.tolist(), track.values[0].tolist(), strict=True)
    }
    unload.close()
    assert found == {(each.labels, int(each.times[0])): float(each.values[0, 0]) for each in single}


def test_a_gap_is_filled_and_the_service_goes_on(tmp_path: Path) -> None:
    whole = Machine(tmp_path / "whole" / "history")
    broken = Machine(tmp_path / "broken" / "history")
    whole.run(4600, step=5000)
    broken.run(1225, step=5000)
    broken.stop()
    broken.now = START + 3_100_000
    broken.store = broken.start()
    broken.run(1500, step=5000)
    broken.stop()
    tracks = exported(whole)
    assert imported(broken.folder, tracks).left_out.keys() == {HOST}
    broken.store = broken.start()
    assert broken.stored() == whole.measured
    for machine in (whole, broken):
        machine.run(2 * 3600, step=5000)
    end = START + 3 * HOUR
    assert broken.stored() == whole.measured
    for tier in (MINUTES, HOURS):
        assert counts(broken, tier, end) == counts(whole, tier, end)
    one, other = (extremes(machine, end) for machine in (broken, whole))
    assert one == other
    whole.stop()
    broken.stop()


def counts(machine: Machine, tier: Tier, end: int) -> dict[tuple[str, str, int], float]:
    """How many samples each minute or hour tells of: none is told of twice."""
    found: dict[tuple[str, str, int], float] = {}
    for (name, of, time, aspect), value in told(machine, tier, end).items():
        if aspect == "count":
            key = name, of, -(-time // tier.step)
            found[key] = found.get(key, 0) + value
    return found


def extremes(machine: Machine, end: int) -> dict[tuple[int, str], float]:
    found: dict[tuple[int, str], float] = {}
    for (name, _, time, aspect), value in told(machine, MINUTES, end).items():
        if name == "heat" and aspect in ("min", "max"):
            choose, key = (min if aspect == "min" else max), (-(-time // MINUTE), aspect)
            found[key] = choose(value, found.get(key, value))
    return found


def test_what_is_imported_twice_is_there_once(source: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    tracks = exported(source)
    imported(folder, tracks)
    other = second(source, folder)
    before = [told(other, tier, START + 2 * HOUR) for tier in (MINUTES, HOURS)]
    other.stop()
    imported(folder, tracks)
    again = second(source, folder)
    assert again.stored() == source.measured
    assert [told(again, tier, START + 2 * HOUR) for tier in (MINUTES, HOURS)] == before
    again.stop()


def test_what_is_stored_wins(source: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    tracks = exported(source)
    imported(folder, tracks)
    imported(folder, [track._replace(values=track.values + 1) for track in tracks])
    other = second(source, folder)
    assert other.stored() == source.measured
    other.stop()


def test_of_two_samples_at_one_time_the_first_counts(source: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    tracks = exported(source)
    imported(folder, [*tracks, *(track._replace(values=track.values + 1) for track in tracks)])
    other = second(source, folder)
    assert other.stored() == source.measured
    other.stop()


def test_what_was_stopped_is_gone_on_with(source: Machine, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done > total // 3:
            raise KeyboardInterrupt

    folder = tmp_path / "history"
    folder.mkdir()
    tracks = exported(source)
    with Staging(folder / "import.part") as staging:
        for track in tracks:
            staging.add(track)
        with pytest.raises(KeyboardInterrupt):
            load(folder, staging, stop)
    shelf = Shelf(folder)
    assert shelf.spans(RAW)
    shelf.close()
    imported(folder, tracks)
    other = second(source, folder)
    assert other.stored() == source.measured
    assert told(other, HOURS, START + 2 * HOUR) == told(source, HOURS, START + 2 * HOUR)
    other.stop()


def test_what_no_memory_could_hold_is_refused_before_anything_is_written(
    source: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.storage.staging.CELLS", 100)
    track = exported(source)[0]
    with Staging(tmp_path / "import.part") as staging:
        staging.add(track)
        with pytest.raises(
            StagingError, match=r"instance=here, job=node has 1 series and \d+ different times"
        ):
            load(tmp_path, staging, quiet)
    assert list(tmp_path.iterdir()) == []


def test_series_of_no_target_are_kept_too(tmp_path: Path, source: Machine) -> None:
    bare: Labels = (("__name__", "alone"),)
    track = exported(source)[0]._replace(labels=bare)
    imported(tmp_path, [track])
    shelf = Shelf(tmp_path)
    stored = shelf.stored(RAW, (), RAW.slot_at(int(track.times[0])))
    assert stored is not None
    assert stored.entries[0].labels == bare
    assert np.isin(track.times, stored.times).all()
    shelf.close()
