"""The log of open rows: what was written is read, whatever a kill or the disk left of it."""

import os
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Kind, Labels, Metric
from monitor.storage.log import (
    HEAD,
    MAGIC,
    NAMED,
    NAMES,
    PAGE,
    ROOM,
    WHOLE,
    Log,
    Row,
    frames,
    names,
    recycle,
)
from monitor.storage.logged import size
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
    os.truncate(path, cut := seed % end(path))
    rows = [bits(row) for row in replayed(path)]
    assert rows == wrote[: len(rows)]
    assert end(path) <= cut


def end(path: Path, slot: int = 1) -> int:
    """Where the last frame ends; behind it is room that was asked for."""
    return max((place + size(frame) for place, frame in frames(path.read_bytes(), slot)), default=0)


@given(st.integers(0, 10**9), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_a_damaged_byte_costs_less_than_a_minute_of_rows_and_changes_none(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "raw-1.log"
    wrote = written(path, 130)
    content = bytearray(path.read_bytes())
    content[place % end(path)] ^= change
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


def test_what_is_brought_to_the_device_touches_hardly_more_pages_than_it_fills(path: Path) -> None:
    log, known, random = Log(path, 1), entries(40), np.random.default_rng(1)
    wrote, start, touched, needed = [], 0, 0, 0
    for time in range(200):
        values = random.random(40)
        log.write(HOST, time, known, values)
        wrote.append((time, values.tobytes()))
        if time % 5 == 4:
            log.sync()
            stop = end(path)
            touched += -(-stop // PAGE) - start // PAGE
            needed += -(-(stop - start) // PAGE)
            start = stop
    log.close()
    assert 40 <= needed <= touched < 1.1 * needed
    assert [bits(row) for row in replayed(path)] == wrote


def test_a_page_that_was_filled_tells_of_the_row_before_it_that_is_lost(path: Path) -> None:
    log, known, time, last = Log(path, 1), entries(40), 0, 0
    while not last or end(path) % PAGE:
        last, time = end(path), time + 1
        log.write(HOST, time, known, np.random.default_rng(time).random(40))
        log.sync()
    log.close()
    content = bytearray(path.read_bytes())
    content[last + HEAD.size] ^= 1
    path.write_bytes(content)
    again = Log(path, 1)
    assert [row.time for row in again.replay()] == list(range(1, time))
    assert again.lost == [(time - 1, time)]
    again.close()


def test_room_is_asked_for_ahead_and_a_log_goes_without_where_there_is_none(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(path, 1)
    log.write(HOST, 1, entries(2), np.array([1.0, 2.0]))
    assert end(path) < ROOM <= path.stat().st_size
    log.close()
    assert end(path) == path.stat().st_size

    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    other = tmp_path / "raw-2.log"
    wrote = written(other, 10)
    assert other.stat().st_size == end(other)
    assert [bits(row) for row in replayed(other)] == wrote


def test_many_series_are_named_piece_by_piece(path: Path) -> None:
    log, known = Log(path, 1), entries(2 * NAMED + 7)
    log.write(HOST, 1, known, np.arange(len(known), dtype=np.float64))
    known += entries(3 * NAMED)[len(known) :]
    log.write(HOST, 2, known, np.arange(len(known), dtype=np.float64))
    log.close()
    rows = replayed(path)
    assert [len(row.values) for row in rows] == [2 * NAMED + 7, 3 * NAMED]
    assert rows[-1].entries == known
    kinds = [frame.kind for _, frame in frames(path.read_bytes(), 1)]
    assert kinds == [NAMES] * 6 + [WHOLE] + [NAMES] * 2 + [WHOLE]


def test_a_log_of_an_earlier_version_is_read(path: Path) -> None:
    rows, known = np.random.default_rng(1).random((5, 3)), entries(3)
    changes = rows.view(np.uint64)[1:] ^ rows.view(np.uint64)[:-1]
    bodies = [(0, names(HOST, 0, known)), (1, rows[0].tobytes()), *((2, each.tobytes()) for each in changes)]
    content = b""
    for number, (kind, body) in enumerate(bodies, 1):
        packed = zstandard.compress(body)
        rest = HEAD.pack(MAGIC, 0, len(packed), number, number, 0, kind)[8:] + packed
        content += MAGIC + crc32(rest, 1).to_bytes(4, "little") + rest
    path.write_bytes(content)
    log = Log(path, 1)
    assert [row.values.tolist() for row in log.replay()] == rows.tolist()
    log.write(HOST, 9, known, rows[0])
    log.close()
    assert [row.values.tolist() for row in replayed(path)] == [*rows.tolist(), rows[0].tolist()]
