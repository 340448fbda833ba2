"""A file of the journal that lies, ends early or is not in memory: no wrong count, no endless work."""

from __future__ import annotations

import errno
import os
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect.journald.file import Entry, File
from tests.collect.test_journal import HERE, RECORDED

WHOLE = (HERE / RECORDED).read_bytes()
PASSES = 60
"""Passes in which the recorded file is in memory."""


def read(path: Path, most: int = 7) -> list[Entry]:
    """All entries of a file."""
    file = File(str(path), past=True)
    found: list[Entry] = []
    try:
        for _ in range(PASSES):
            found += file.read(most)
        assert not file.waiting
    finally:
        file.close()
    return found


def test_the_recorded_file_has_what_journalctl_shows() -> None:
    found = read(HERE / RECORDED)
    assert len(found) == 42
    assert [entry.time for entry in found] == sorted(entry.time for entry in found)
    assert found[1].fields == (("PRIORITY", "6"), ("UNIT", "backup.service"), *found[1].fields[2:])
    assert read(HERE / RECORDED, 1) == found == read(HERE / RECORDED, 1000)


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (0, b"LPKSHHR_", "a journal of systemd's expected"),
        (12, struct.pack("<I", 64), "a format that is known expected, found the flags 0x40"),
        (176, struct.pack("<Q", 0), "an array of entries behind 176 expected, found 0"),
        (176, struct.pack("<Q", 1 << 63), "a place in it expected"),
        (176, struct.pack("<Q", 1 << 40), "it ends before"),
        (152, struct.pack("<Q", 1 << 60), "an entry expected at 0"),
    ],
)
def test_a_header_that_lies_is_named(tmp_path: Path, place: int, value: bytes, why: str) -> None:
    path = tmp_path / "system.journal"
    path.write_bytes(WHOLE[:place] + value + WHOLE[place + len(value) :])
    with pytest.raises(ValueError, match=why):
        read(path)


def test_a_count_that_falls_is_a_lie(tmp_path: Path) -> None:
    path = tmp_path / "system.journal"
    path.write_bytes(WHOLE)
    file = File(str(path))
    while file.read(10) or file.waiting:
        pass
    with path.open("r+b") as written:
        written.seek(152)
        written.write(struct.pack("<Q", 41))
    with pytest.raises(ValueError, match="at least 42 entries expected, found 41"):
        file.read(10)
    file.close()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40) | st.integers(0, len(WHOLE) // 8 - 1), st.integers(0, 7), st.integers(0, 255)
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, len(WHOLE)),
)
def test_whatever_is_in_a_file_it_is_counted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, wrong: Sequence[tuple[int, int, int]], end: int
) -> None:
    data = bytearray(WHOLE)
    for word, byte, value in wrong:
        data[word * 8 + byte] = value
    path = tmp_path_factory.getbasetemp() / "lies.journal"
    path.write_bytes(data if end % 2 else data[:end])
    for past in (True, False):
        file = File(str(path), past=past)
        try:
            for _ in range(PASSES):
                assert len(file.read(10)) <= 10
        except (ValueError, OSError):
            continue
        finally:
            file.close()


class Slow:
    """A disk from which every second piece has to be waited for."""

    def __init__(self) -> None:
        self.asked: set[tuple[int, int]] = set()
        self.preadv = os.preadv

    def __call__(self, descriptor: int, buffers: Sequence[bytearray], place: int, flags: int) -> int:
        assert flags == os.RWF_NOWAIT
        key = place, memoryview(buffers[0]).nbytes
        if key not in self.asked:
            self.asked.add(key)
            raise BlockingIOError(errno.EAGAIN, "not now")
        return self.preadv(descriptor, buffers, place)


def test_what_is_not_in_memory_is_waited_for_in_later_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(HERE / RECORDED)
    monkeypatch.setattr(os, "preadv", Slow())
    file = File(str(HERE / RECORDED), past=True)
    found: list[Entry] = []
    passes = 0
    while not passes or file.waiting:
        found += file.read(10)
        passes += 1
    file.close()
    assert found == whole
    assert passes > 20


def test_a_file_system_that_cannot_tell_what_is_in_memory_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(HERE / RECORDED)
    plain = os.preadv

    def preadv(descriptor: int, buffers: Sequence[bytearray], place: int, flags: int) -> int:
        if flags:
            raise OSError(errno.EOPNOTSUPP, "not here")
        return plain(descriptor, buffers, place, flags)

    monkeypatch.setattr(os, "preadv", preadv)
    assert read(HERE / RECORDED) == whole


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """A copy to append to."""
    return Path(shutil.copy(HERE / RECORDED, tmp_path))


def test_a_file_is_passed_over_to_its_end(grown: Path) -> None:
    file = File(str(grown), past=True)
    while not file.read(1):
        pass
    passed = 0
    while passed < 41:
        passed += file.skip()
    assert file.read(10) == []
    assert passed == 41
    file.close()
