"""All that is kept is read, what is damaged is named, and mending drops that alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from monitor.storage.log import Log
from monitor.storage.logged import Logged, logs
from monitor.storage.schema import Damage
from monitor.storage.shelf import Shelf
from monitor.storage.tier import MINUTES, RAW
from monitor.storage.verify import Verified, mend, unheard, verify
from tests.conftest import ExpectLog
from tests.storage.slabs import START, WEB, all_of, entry, slabs
from tests.storage.test_store import HOST, Machine

TIMES = range(START + 45_000, START + 4 * RAW.slot, 45_000)


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


def checked(folder: Path) -> tuple[Verified, list[Damage]]:
    told: list[Damage] = []
    return verify(folder, told.append, quiet), told


def test_a_whole_folder_is_whole_while_it_is_written(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "history")
    machine.run(2000, step=10_000)
    machine.store.writer.sync()
    machine.settle()
    steps: list[tuple[int, int]] = []

    def meanwhile(done: int, total: int) -> None:
        steps.append((done, total))
        machine.run(100, step=10_000)

    told: list[Damage] = []
    found = verify(machine.folder, told.append, meanwhile)
    machine.stop()
    assert told == []
    assert (found.damages, found.files, found.logs) == (0, 1, 2)
    assert steps[-1][0] == steps[-1][1] > 0


def test_only_what_is_damaged_is_named_and_dropped(tmp_path: Path, expect_log: ExpectLog) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(
        *slabs(RAW, WEB, TIMES, 60), *slabs(MINUTES, WEB, range(START + 60_000, START + 600_000, 60_000))
    )
    truth = all_of(shelf)
    [other] = tmp_path.glob("m1-*.db")
    minutes = other.read_bytes()
    shelf.close()
    [path] = tmp_path.glob("raw-*.db")
    content = bytearray(path.read_bytes())
    content[-40] ^= 0xFF
    path.write_bytes(content)
    found, told = checked(tmp_path)
    assert found.files == 2
    assert len(found.broken.files) == 1
    lost = [each for each in told if each.when and "{" in each.what]
    assert lost
    assert all(each.file == path for each in told)
    mend(tmp_path, found.broken)
    expect_log("is damaged: it is set aside")
    assert checked(tmp_path)[1] == []
    shelf = Shelf(tmp_path)
    after = all_of(shelf)
    assert other.read_bytes() == minutes
    shelf.close()
    for labels, samples in truth.items():
        for time, value in samples.items():
            slot = RAW.slot_at(time)
            named = any(
                each.when == (slot * RAW.slot, (slot + 1) * RAW.slot)
                and f'number="{dict(labels)["number"]}"' in each.what
                for each in lost
            )
            assert after.get(labels, {}).get(time) == (None if named else value)


def test_a_file_of_a_later_version_is_named_and_not_mended(tmp_path: Path) -> None:
    from tests.storage.test_migration import make_newer

    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, TIMES))
    shelf.close()
    [path] = tmp_path.glob("raw-*.db")
    make_newer(path)
    found, told = checked(tmp_path)
    assert "written by a later version" in told[0].what
    assert not found.broken.files


@pytest.fixture
def logged(tmp_path: Path) -> Logged:
    """A log of 200 rows."""
    path = tmp_path / f"raw-{RAW.slot_at(START + 1):010}.log"
    log = Log(path, RAW.slot_at(START + 1))
    entries = [entry(WEB, number) for number in range(3)]
    for row in range(200):
        log.write(WEB, START + 1000 * (row + 1), entries, np.array([row, row * 0.5, 7.0]))
    log.close()
    [found] = logs(tmp_path)
    return found


def test_a_log_that_is_whole_or_torn_has_no_damage(logged: Logged) -> None:
    assert logged.damage() == []
    os.truncate(logged.path, logged.path.stat().st_size - 3)
    assert logged.damage() == []
    assert len(list(logged.rows())) == 199


def test_a_wrong_byte_in_a_log_costs_what_stands_on_it_and_is_named(logged: Logged, tmp_path: Path) -> None:
    content = bytearray(logged.path.read_bytes())
    content[len(content) // 2] ^= 1
    logged.path.write_bytes(content)
    found, told = checked(tmp_path)
    [damage] = told
    assert damage.when is not None
    times = {row.time for row in logged.rows()}
    assert 0 < 200 - len(times) <= 60
    missing = [START + 1000 * (row + 1) for row in range(200) if START + 1000 * (row + 1) not in times]
    assert damage.when[0] < missing[0]
    assert missing[-1] == damage.when[1]
    assert f"raw-{logged.slot:010}.log: bytes " in str(damage)
    mend(tmp_path, found.broken)
    assert checked(tmp_path)[1] == []
    assert {row.time for row in logged.rows()} == times


def test_a_service_goes_on_from_a_mended_log(tmp_path: Path, expect_log: ExpectLog) -> None:
    machine = Machine(tmp_path / "history")
    machine.run(300)
    machine.stop()
    [log] = [each for each in logs(machine.folder) if each.tier is RAW]
    content = bytearray(log.path.read_bytes())
    content[len(content) // 2] ^= 1
    log.path.write_bytes(content)
    found = verify(machine.folder, unheard, quiet)
    mend(machine.folder, found.broken)
    machine.store = machine.start()
    expect_log("history is damaged")  # What is gone is gone.
    machine.run(10)
    stored = machine.stored()
    assert 250 <= len(stored) < 310
    assert stored.items() <= machine.measured.items()
    assert {row.target for row in log.rows()} == {HOST}
    machine.stop()
