"""The one thread that writes history: the event loop hands over and never waits for the disk.

A thread, though one that hangs in the kernel cannot be ended: this disk is the machine's own, and SQLite and
the system calls let go of the interpreter while they work.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor  # noqa: TID251  (see below)
from queue import Empty, SimpleQueue
from typing import get_args

from monitor.model import Event
from monitor.storage.events import Events
from monitor.storage.keeper import Close, Job, Keeper, Left, Roll, Tick
from monitor.storage.schema import DamagedError, NewerError
from monitor.storage.tier import Tier

log = logging.getLogger(__name__)

SYNC_EVERY = 5.0
"""Seconds: what a power cut may take."""
SOON = 0.5
"""Seconds by which that may be sooner, so that it is done together with a row and not after a sleep."""
MOST_WAITING = 256 << 20
"""Bytes of whole slots that may wait for the disk, and a quarter of it of rows one by one."""
TURN = 0.001
"""Seconds for which a thread has the interpreter while another wants it."""
SYNC, STOP, ABANDON = "sync", "stop", "abandon"
Order = Job | threading.Event | str
REASONS = {
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk quota reached",
    errno.EROFS: "read-only file system",
    errno.EACCES: "no permission to write",
    errno.EFBIG: "a file may not grow any more (ulimit -f)",
    errno.EIO: "the disk fails",
}


class Writer:
    """Runs a keeper.  Its attributes are for others to read at any time."""

    def __init__(
        self,
        keeper: Keeper,
        events: Events,
        keep: Mapping[Tier, int],
        most: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep` is how many files of each tier are kept, `most` how many bytes in all."""
        self.trouble = ""
        """Why nothing is written at present, for people; empty while all is well."""
        self.written = 0
        """Time of the newest row that a kill does not take (ms)."""
        self.lost = 0
        """Rows that are not in the log, as nothing could be written or too many waited when they came."""
        self.bytes = 0
        """Of all files, at the last look."""
        self._keeper, self._events, self._keep, self._most = keeper, events, keep, most
        self._monotonic = monotonic
        self._queue: SimpleQueue[Order] = SimpleQueue()
        self._given: dict[type[Job], int] = dict.fromkeys(get_args(Job), 0)
        self._taken = dict(self._given)
        """Bytes of rows by the job: those handed over, and those of them that were dealt with."""
        self._failing = False
        self._pool = ThreadPoolExecutor(1, "history")
        self._running: Future[None] | None = None
        self._since = 0

    def start(self) -> None:
        # The event loop has the interpreter from this thread so much sooner; Python's own 5 ms are too long.
        sys.setswitchinterval(TURN)
        self._running = self._pool.submit(self._run)
        self._running.add_done_callback(self._ended)

    def put(self, job: Job) -> None:
        """Do this when its turn comes."""
        kind, size = type(job), size_of(job)
        room = MOST_WAITING // 4 if isinstance(job, Tick) else MOST_WAITING
        waiting = self._given[kind] - self._taken[kind]
        if waiting and waiting + size > room:
            self._refuse(job)
        else:
            self._given[kind] += size
            self._queue.put(job)

    def _refuse(self, job: Job) -> None:
        """Keep memory bounded while the disk hangs, or the thread has ended."""
        if not self.trouble:
            self._struggle("the disk does not answer", getattr(job, "time", 0))
        if isinstance(job, Tick):
            self.lost += 1
        elif isinstance(job, Close):
            first, last = job.rows.times[[0, -1]].tolist()
            self._events.add(Event(first, last, "gap", f"not stored: {self.trouble}"))

    def sync(self) -> None:
        """Do what is due every few seconds, now."""
        self._queue.put(SYNC)

    def abandon(self) -> None:
        """End like a process that is killed: what is handed over and not done is not done."""
        self._queue.put(ABANDON)
        self._pool.shutdown()

    def flush(self) -> threading.Event:
        """Set when all that was handed over until now has been done."""
        done = threading.Event()
        self._queue.put(done)
        return done

    def close(self) -> None:
        """Do what is left, and have it on the disk."""
        self._queue.put(STOP)
        self._pool.shutdown()

    def _run(self) -> None:
        due = self._monotonic() + SYNC_EVERY
        order: Order = SYNC
        while order not in (STOP, ABANDON):
            try:
                order = self._queue.get(timeout=max(due - self._monotonic(), 0))
            except Empty:
                order = SYNC
            if isinstance(order, threading.Event):
                order.set()
            elif not isinstance(order, str):
                self._do(order)
            if order in (SYNC, STOP) or self._monotonic() >= due - SOON:
                self._attempt(self._sync)
                due = self._monotonic() + SYNC_EVERY
        if order == STOP:
            self._attempt(self._keeper.close)

    def _do(self, job: Job) -> None:
        done = self._attempt(lambda: self._keeper.do(job), getattr(job, "time", 0))
        self._taken[type(job)] += size_of(job)
        if isinstance(job, Tick):
            if done:
                self.written, self._failing = job.time, False
            else:
                self.lost += 1

    def _sync(self) -> None:
        """What is due every few seconds."""
        self._keeper.sync()
        changing = bool(self._keeper.pending)
        if changing:
            # Before, too: what is too old makes room on a full disk.
            self._keeper.shelf.retain(self._keep, self._most)
            try:
                self._keeper.settle()
            finally:
                self._keeper.shed()
            self._keeper.shelf.retain(self._keep, self._most)
        while self._keeper.dropped:
            slab = self._keeper.dropped.pop(0)
            first, last = int(slab.times[0]), int(slab.times[-1])
            self._events.add(Event(first, last, "gap", f"not stored: {self.trouble or 'no room'}"))
        self._events.write()
        if changing or not self.bytes:
            self.bytes = self._keeper.shelf.size()

    def _attempt(self, work: Callable[[], None], at: int = 0) -> bool:
        try:
            work()
        except (OSError, sqlite3.Error, DamagedError, NewerError) as error:
            self._struggle(reason(error), at)
            return False
        # That nothing was to be written is no proof: a row has to be taken, too.
        if self.trouble and work == self._sync and not self._failing:
            log.info("history is written again")
            text = f"history was paused: {self.trouble}"
            since = self._since or self.written
            self._events.add(Event(since, max(since, self.written), "paused", text))
            self.trouble = ""
        return True

    def _struggle(self, why: str, at: int) -> None:
        if not self.trouble:
            log.warning("history is paused: %s", why)
            self._since = 0
        # What an earlier process left has no time, and may be refused before any row came.
        self._since = self._since or at or self.written
        self.trouble, self._failing = why, True

    def _ended(self, running: Future[None]) -> None:
        error = None if running.cancelled() else running.exception()
        if error:
            log.error("history is not written any more", exc_info=error)
            self.trouble = f"it ended by a fault, see the log; restart the service ({type(error).__name__})"
            self._taken = dict.fromkeys(self._taken, -MOST_WAITING)


def size_of(job: Job) -> int:
    """Bytes of the rows that it holds on to."""
    match job:
        case Tick():
            return job.row.nbytes
        case Roll():
            return job.rows.values.nbytes
        case Close():
            return job.rows.values.nbytes
        case Left():
            return job.slab.values.nbytes


def reason(error: Exception) -> str:
    """What went wrong, for people."""
    if isinstance(error, OSError):
        return REASONS.get(error.errno or 0, str(error))
    full = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
    return REASONS[errno.ENOSPC] if full else str(error)
