"""The thread that writes: what it cannot do is told, bounded in memory, and over by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from threading import Event as Flag
from typing import cast

import numpy as np
import pytest

from monitor.model import Event
from monitor.storage import writer as module
from monitor.storage.events import Events
from monitor.storage.keeper import Close, Job, Keeper, Left, Tick
from monitor.storage.register import Legend
from monitor.storage.table import Rows
from monitor.storage.tier import RAW, Slab
from monitor.storage.writer import Writer

HOST = (("instance", "here"),)
LEGEND = cast("Legend", None)
ROW = np.zeros(4)


class Disk:
    """A keeper whose disk does as it is told."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.open = Flag()
        self.open.set()
        self.done: list[Job] = []
        self.shelf = self
        self.pending: list[object] = []
        self.dropped: list[object] = []

    def do(self, job: Job) -> None:
        assert self.open.wait(30)
        if self.refusal:
            raise self.refusal
        self.done.append(job)

    def sync(self) -> None:
        """What was refused is not there to be synced: this succeeds on a full disk."""

    close = sync

    def size(self) -> int:
        """Bytes of the files of its shelf, which it is itself."""
        return 0


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def writer(disk: Disk, events: Events) -> Iterator[Writer]:
    made = Writer(cast("Keeper", disk), events, {}, 0)
    made.start()
    yield made
    disk.open.set()
    made.close()


def tick(time: int) -> Tick:
    return Tick(HOST, time, ROW, LEGEND)


def done(writer: Writer) -> None:
    assert writer.flush().wait(30)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(28, "No space left on device"), "disk full"),
        (OSError(30, "Read-only file system"), "read-only file system"),
        (OSError(27, "File too large"), "a file may not grow any more (ulimit -f)"),
        (sqlite3.OperationalError("database is locked"), "database is locked"),
    ],
)
def test_a_pause_is_told_once_and_ends_when_a_row_is_taken(
    writer: Writer, disk: Disk, events: Events, error: Exception, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    disk.refusal = error
    for time in range(1000, 6000, 1000):
        writer.put(tick(time))
        writer.sync()
    done(writer)
    assert (writer.trouble, writer.lost, writer.written) == (text, 5, 0)
    assert [record.getMessage() for record in caplog.records] == [f"history is paused: {text}"]
    caplog.clear()
    disk.refusal = None
    writer.put(tick(6000))
    writer.sync()
    done(writer)
    assert (writer.trouble, writer.written) == ("", 6000)
    assert events.between(0, 9000) == [Event(1000, 6000, "paused", f"history was paused: {text}")]


def test_a_pause_from_the_start_begins_with_the_first_row_that_was_lost(
    writer: Writer, disk: Disk, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    disk.refusal = OSError(28, "No space left on device")
    left = Slab(RAW, HOST, 0, np.arange(3), (), np.zeros((1, 3, 0)))
    writer.put(Left(left))
    writer.put(tick(4000))
    writer.put(tick(5000))
    done(writer)
    disk.refusal = None
    writer.put(tick(6000))
    writer.sync()
    done(writer)
    assert events.between(0, 9000) == [Event(4000, 6000, "paused", "history was paused: disk full")]
    caplog.clear()


def test_a_disk_that_hangs_takes_bounded_memory(
    writer: Writer,
    disk: Disk,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 4 * 10 * ROW.nbytes)
    disk.open.clear()
    for time in range(1000, 101_000, 1000):
        writer.put(tick(time))
    assert (writer.lost, writer.trouble) == (90, "the disk does not answer")
    slot = Close(HOST, 0, Rows(np.arange(5), np.zeros((5, 4)), LEGEND))
    for _ in range(9):
        writer.put(slot)
    disk.open.set()
    writer.put(tick(101_000))
    done(writer)
    # The slots have room that single rows do not take, and what has none is a gap.
    assert [type(job) for job in disk.done] == [Tick] * 10 + [Close] * 8
    assert events.between(0, 9) == [Event(0, 4, "gap", "not stored: the disk does not answer")]
    writer.put(tick(102_000))
    writer.sync()
    done(writer)
    assert writer.trouble == ""
    caplog.clear()


def test_a_thread_that_ends_is_seen_and_hinders_nobody(
    disk: Disk, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    disk.refusal = RuntimeError("a fault of ours")
    writer.put(tick(1000))
    writer._pool.shutdown()
    assert writer.trouble == "it ended by a fault, see the log; restart the service (RuntimeError)"
    assert "a fault of ours" in caplog.text
    for time in range(2000, 5000, 1000):
        writer.put(tick(time))
    assert writer.lost == 3
    assert writer._queue.empty()
    caplog.clear()
