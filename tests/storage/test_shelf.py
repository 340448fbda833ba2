"""The folder: what is put is kept, what comes twice is merged, and room comes back file by file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Labels
from monitor.storage import Look
from monitor.storage.shelf import Shelf
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, RAW, SPAN
from tests.storage.slabs import DATABASE, EVERYTHING, START, WEB, Held, all_of, expected, held, history, slabs

DAY = 24 * HOUR


def test_rows_are_there_for_who_opens_the_folder_later(tmp_path: Path) -> None:
    rows = slabs(RAW, WEB, range(START + 1000, START + 2 * RAW.slot, 20_000))
    shelf = Shelf(tmp_path)
    shelf.put(*rows)
    shelf.close()
    again = Shelf(tmp_path)
    assert all_of(again) == expected(rows)
    assert again.has(RAW, WEB, RAW.slot_at(START + 1000))
    assert not again.has(RAW, DATABASE, RAW.slot_at(START + 1000))
    assert not again.has(RAW, WEB, RAW.slot_at(START) - 1)
    assert again.newest(RAW) == {WEB: int(rows[-1].times[-1])}
    again.close()


def test_files_are_of_spans_of_time_and_leave_no_journal(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, range(START + 1000, START + DAY, HOUR)), *slabs(HOURS, WEB, [START + HOUR]))
    first = START // RAW.slot // SPAN
    assert shelf.spans(RAW) == [first, first + 1, first + 2, first + 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"h1-{START // HOURS.slot // SPAN:08d}.db",
        *(f"raw-{span:08d}.db" for span in shelf.spans(RAW)),
    ]
    assert shelf.size() == sum(path.stat().st_size for path in tmp_path.iterdir())
    shelf.close()


MINUTES_OF = st.frozensets(st.integers(1, 60), min_size=1)
PARTS = st.lists(st.tuples(st.sampled_from([WEB, DATABASE]), MINUTES_OF, st.integers(1, 4)), max_size=6)


@given(PARTS)
def test_parts_that_come_in_any_order_are_one_past(parts: list[tuple[Labels, frozenset[int], int]]) -> None:
    truth: Held = {}
    with TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder))
        for target, minutes, series in parts:
            rows = slabs(RAW, target, [START + minute * MINUTE for minute in minutes], series)
            shelf.put(*rows)
            for labels, samples in expected(rows).items():
                truth.setdefault(labels, {}).update(samples)
        assert all_of(shelf) == truth
        assert shelf.damage == []
        shelf.close()


def test_what_is_stored_stays_where_the_same_sample_comes_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    [slab] = slabs(MINUTES, WEB, [START + MINUTE, START + 2 * MINUTE])
    shelf.put(slab)
    shelf.put(slab._replace(values=slab.values + 1))
    assert all_of(shelf, MINUTES) == expected([slab])
    shelf.close()


def test_putting_the_same_rows_again_writes_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    rows = slabs(RAW, WEB, range(START + 1000, START + 60_000, 1000))
    shelf.put(*rows)
    [path] = tmp_path.iterdir()
    content = path.read_bytes()
    shelf.put(*rows)
    assert path.read_bytes() == content
    shelf.close()


def test_names_are_written_once_while_a_series_lasts_and_again_when_it_is_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    times = [START + slot * RAW.slot + second * 1000 for slot in range(3) for second in (4, 5)]
    first, second, third = slabs(RAW, WEB, times, 4)
    shelf.put(first)
    shelf.put(second._replace(entries=second.entries[:2], values=second.values[:, :, :2]))
    shelf.put(third)
    [volume] = shelf.volumes(RAW, START + 1, START + 1)
    assert volume.contents().series == 4 + 2
    assert not all_of(shelf)[third.entries[3].labels].keys() & set(second.times.tolist())
    assert all_of(shelf)[third.entries[3].labels].keys() & set(third.times.tolist())
    shelf.close()


def test_the_newest_files_of_each_resolution_are_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, range(START + 1000, START + DAY, HOUR)))
    # A clock that was ten years ahead makes one file more, and costs one.
    shelf.put(*slabs(RAW, WEB, [START + 3650 * DAY]))
    spans = shelf.spans(RAW)
    gone = shelf.retain({RAW: 3, HOURS: 1}, 1 << 40)
    assert gone == [shelf.path(RAW, span) for span in spans[:2]]
    assert shelf.spans(RAW) == spans[2:]
    assert not any(path.exists() for path in gone)
    shelf.close()


def test_over_its_size_samples_go_first_then_minutes_and_never_the_newest(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for tier in (RAW, MINUTES, HOURS):
        for number in range(3):
            shelf.put(*slabs(tier, WEB, [START + number * SPAN * tier.slot + 4000]))
    one = shelf.size() // 9
    oldest = shelf.spans(RAW)[:2]
    assert shelf.retain({}, shelf.size() - one - 1) == [shelf.path(RAW, span) for span in oldest]
    assert [len(shelf.spans(tier)) for tier in (RAW, MINUTES, HOURS)] == [1, 3, 3]
    shelf.retain({}, 0)
    assert [len(shelf.spans(tier)) for tier in (RAW, MINUTES, HOURS)] == [1, 1, 1]
    shelf.close()


def test_who_reads_a_file_that_is_unlinked_reads_on_and_its_room_is_given_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    rows = slabs(RAW, WEB, [START + 1000, START + SPAN * RAW.slot + 1000])
    shelf.put(*rows)
    assert all_of(shelf) == expected(rows)
    [volume] = shelf.volumes(RAW, START + 1, START + 1)
    contents = volume.contents()
    with shelf._connections.lend(volume.path, RAW) as connection:
        shelf.retain({RAW: 1}, 1 << 40)
        assert connection.execute("SELECT count(*) FROM cell").fetchone() == (len(rows[0].entries),)
    assert all_of(shelf) == expected(rows[1:])
    assert contents.slots
    assert not [link for link in open_files() if str(tmp_path) in link and "deleted" in link]
    shelf.close()


def open_files() -> Iterator[str]:
    for entry in list(Path("/proc/self/fd").iterdir()):
        with suppress(FileNotFoundError):
            yield str(entry.readlink())


def test_aspects_come_back_bit_for_bit(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    rows = slabs(HOURS, WEB, [START + HOUR, START + 2 * HOUR, START + 3 * HOUR])
    shelf.put(*rows)
    [selection] = history(shelf).select(EVERYTHING, START, START + DAY, Look(HOUR, HOURS.aspects))
    assert selection.parts is not None
    for place, aspect in enumerate(HOURS.aspects):
        assert selection.parts[aspect].tobytes("F") == rows[0].values[place].tobytes("F")
    assert held([selection]) == expected(rows)
    shelf.close()


def test_a_series_without_the_labels_of_its_target_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    [slab] = slabs(RAW, WEB, [START + 1000])
    with pytest.raises(ValueError, match="lacks labels of its target"):
        shelf.put(slab._replace(target=(*WEB, ("zone", "b"))))
    assert all_of(shelf) == {}
    shelf.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a tmpfs is mounted")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"needs the right to mount a tmpfs: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_changes_nothing_and_what_failed_is_put_later(small_disk: Path) -> None:
    shelf = Shelf(small_disk)
    noise = np.random.default_rng(1)
    [slab] = slabs(RAW, WEB, range(START + 1000, START + 500_000, 1000), 100)
    slab = slab._replace(values=noise.random(slab.values.shape))
    before = slabs(RAW, DATABASE, [START + 1000])
    shelf.put(*before)
    (small_disk / "fill").write_bytes(bytes(700_000))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        shelf.put(slab)
    assert all_of(shelf) == expected(before)
    (small_disk / "fill").unlink()
    shelf.put(slab._replace(values=slab.values[:, :, :50], entries=slab.entries[:50]))
    assert len(all_of(shelf)) == len(before[0].entries) + 50
    assert shelf.damage == []
    # Room is given back on a full disk, too.
    with (small_disk / "fill").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass
    with pytest.raises(sqlite3.OperationalError):
        shelf.put(*slabs(MINUTES, WEB, [START + MINUTE]))
    shelf.retain({RAW: 1}, 0)
    (small_disk / "fill").unlink()
    shelf.put(*slabs(MINUTES, WEB, [START + MINUTE]))
    assert shelf.has(MINUTES, WEB, MINUTES.slot_at(START + MINUTE))
    shelf.close()


def test_what_a_killed_writer_was_about_to_write_is_taken_back_and_no_damage(tmp_path: Path) -> None:
    (rows,) = slabs(RAW, WEB, [START + 1000, START + 2000])
    shelf = Shelf(tmp_path)
    shelf.put(rows)
    shelf.close()
    path = shelf.path(RAW, rows.slot // SPAN)
    killed = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('PRAGMA cache_size=1'); c.execute('BEGIN'); "
        "c.execute('CREATE TABLE filler AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 99) SELECT zeroblob(9000) FROM n'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", killed, str(path)], check=False).returncode == 9
    assert path.with_name(path.name + "-journal").exists()
    again = Shelf(tmp_path)
    again.take_back()
    assert all_of(again) == expected([rows])
    assert again.damage == []
    again.close()
