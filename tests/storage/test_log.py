"""The log of open rows: what was written is read, whatever a kill or the disk left of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Kind, Labels, Metric
from monitor.storage.log import HEAD, Log, Row, recycle
from monitor.storage.table import STALE
from monitor.storage.tier import Entry

HOST: Labels = (("instance", "here"), ("job", "node"))
OTHER: Labels = (("instance", "there"),)


def entries(count: int, target: Labels = HOST) -> list[Entry]:
    metric = Metric("load", Kind.GAUGE, "How busy.", "seconds")
    return [
        Entry(tuple(sorted([("__name__", "load"), ("core", str(n)), *target])), metric) for n in range(count)
    ]


def bits(row: Row) -> tuple[int, bytes]:
    return row.time, row.values.tobytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "raw-1.log"


def written(path: Path, rows: int, *, slot: int = 1) -> list[tuple[int, bytes]]:
    """Rows of two targets, one of which gets a new series on the way."""
    log, known = Log(path, slot), entries(2)
    wrote = []
    for time in range(rows):
        if time == rows // 2:
            known += entries(3)[2:]
        values = np.arange(len(known), dtype=np.float64) + time / 8
        values[0] = STALE if time % 7 == 0 else 5.0
        log.write(HOST, time, known, values)
        log.write(OTHER, time, entries(1, OTHER), np.array([time / 3]))
        wrote += [(time, values.tobytes()), (time, np.array([time / 3]).tobytes())]
    log.close()
    return wrote


def replayed(path: Path, slot: int = 1) -> list[Row]:
    log = Log(path, slot)
    found = list(log.replay())
    log.close()
    return found


def test_what_was_written_is_read(path: Path) -> None:
    wrote = written(path, 200)
    rows = replayed(path)
    assert [bits(row) for row in rows] == wrote
    assert rows[-2].entries == entries(3)
    assert rows[-1].target == OTHER


def test_a_log_goes_on_where_an_earlier_process_stopped(path: Path) -> None:
    wrote = written(path, 70)
    log = Log(path, 1)
    assert len(list(log.replay())) == len(wrote)
    log.write(OTHER, 70, entries(1, OTHER), np.array([9.0]))
    log.write(OTHER, 71, entries(1, OTHER), np.array([10.0]))
    log.close()
    rows = replayed(path)
    assert [bits(row) for row in rows[:-2]] == wrote
    assert [(row.target, row.time, row.values.tolist()) for row in rows[-2:]] == [
        (OTHER, 70, [9.0]),
        (OTHER, 71, [10.0]),
    ]


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_torn_tail_costs_only_what_it_held(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path = tmp_path_factory.mktemp("log") / "raw-1.log"
    wrote = written(path, 90)
    size = path.stat().st_size
    os.truncate(path, cut := seed % size)
    rows = [bits(row) for row in replayed(path)]
    assert rows == wrote[: len(rows)]
    ends = list(frame_ends(path.read_bytes()))
    assert not ends or ends[-1] <= cut


def frame_ends(content: bytes) -> Iterator[int]:
    place = 0
    while place + HEAD.size <= len(content):
        place += HEAD.size + HEAD.unpack_from(content, place)[2]
        if place <= len(content):
            yield place


@given(st.integers(0, 10**9), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_a_damaged_byte_costs_less_than_a_minute_of_rows_and_changes_none(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "raw-1.log"
    wrote = written(path, 130)
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= change
    path.write_bytes(content)
    rows = [bits(row) for row in replayed(path)]
    assert [row for row in wrote if row in rows] == rows
    assert len(wrote) - len(rows) <= 2 * 60


def test_what_an_earlier_slot_left_in_a_file_is_not_read(path: Path, tmp_path: Path) -> None:
    written(path, 100)
    log = Log(path, 1)
    recycle(log, tmp_path / "spare")
    assert not path.exists()
    (tmp_path / "spare").rename(path)
    assert replayed(path, slot=2) == []
    wrote = written(path, 10, slot=2)
    assert [bits(row) for row in replayed(path, slot=2)] == wrote


def test_a_disk_that_takes_no_more_costs_no_row_that_stands(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, known = Log(path, 1), entries(2)
    log.write(HOST, 1, known, np.array([1.0, 2.0]))
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", lambda _file, data, place: real(_file, data[:5], place))
        with pytest.raises(OSError, match="whole frame"):
            log.write(HOST, 2, known, np.array([2.0, 2.0]))
    log.write(HOST, 3, known, np.array([3.0, 2.0]))
    log.close()
    assert [row.time for row in replayed(path)] == [1, 3]
    assert replayed(path)[1].values.tolist() == [3.0, 2.0]


real = os.pwrite


def test_a_frame_that_found_no_room_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, known = Log(path, 1), entries(2)
    log.write(HOST, 1, known, np.array([1.0, 2.0]))
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", lambda *_: 3)
        with pytest.raises(OSError, match="no space left"):
            log.write(HOST, 2, known, np.array([1.0, 3.0]))
    log.write(HOST, 3, known, np.array([1.0, 4.0]))
    log.close()
    again = Log(path, 1)
    assert [row.time for row in again.replay()] == [1, 3]
    assert again.lost == []
    again.close()
