"""The one thread that writes history: the event loop hands over and never waits for the disk.

A thread, though one that hangs in the kernel cannot be ended: this disk is the machine's own, and SQLite and
the system calls let go of the interpreter while they work.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor  # noqa: TID251  (see below)
from queue import Empty, Full, Queue

from monitor.model import Event
from monitor.storage.events import Events
from monitor.storage.keeper import Job, Keeper, Tick
from monitor.storage.tier import Tier

log = logging.getLogger(__name__)

SYNC_EVERY = 5.0
"""Seconds: what a power cut may take."""
MOST_WAITING = 4_096
"""Jobs that wait for the disk; each holds on to a row in memory."""
SYNC, STOP, ABANDON = "sync", "stop", "abandon"
Order = Job | threading.Event | str
REASONS = {
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk quota reached",
    errno.EROFS: "read-only file system",
    errno.EACCES: "no permission to write",
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
        self._keeper, self._events, self._keep, self._most = keeper, events, keep, most
        self._monotonic = monotonic
        self._queue: Queue[Order] = Queue(MOST_WAITING)
        self._pool = ThreadPoolExecutor(1, "history")
        self._running: Future[None] | None = None
        self._since = 0

    def start(self) -> None:
        self._running = self._pool.submit(self._run)
        self._running.add_done_callback(self._ended)

    def put(self, job: Job) -> None:
        """Do this when its turn comes."""
        try:
            self._queue.put_nowait(job)
        except Full:
            self.lost += isinstance(job, Tick)
            self._struggle("the disk does not answer", getattr(job, "time", 0))

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
            if order in (SYNC, STOP) or self._monotonic() >= due:
                self._attempt(self._sync)
                due = self._monotonic() + SYNC_EVERY
        if order == STOP:
            self._attempt(self._keeper.close)

    def _do(self, job: Job) -> None:
        done = self._attempt(lambda: self._keeper.do(job), getattr(job, "time", 0))
        if isinstance(job, Tick):
            if done:
                self.written = job.time
            else:
                self.lost += 1

    def _sync(self) -> None:
        """What is due every few seconds; after trouble, the proof that it is over."""
        self._keeper.sync()
        if self._keeper.pending:
            self._keeper.settle()
            self._keeper.shelf.retain(self._keep, self._most)
        while self._keeper.dropped:
            slab = self._keeper.dropped.pop(0)
            first, last = int(slab.times[0]), int(slab.times[-1])
            self._events.add(Event(first, last, "gap", f"not stored: {self.trouble or 'no room'}"))
        self._events.write()

    def _attempt(self, work: Callable[[], None], at: int = 0) -> bool:
        try:
            work()
        except (OSError, sqlite3.Error) as error:
            self._struggle(reason(error), at)
            return False
        if self.trouble and work == self._sync:
            log.info("history is written again")
            self._events.add(Event(self._since, self.written, "gap", f"history was paused: {self.trouble}"))
            self.trouble = ""
        return True

    def _struggle(self, why: str, at: int) -> None:
        if not self.trouble:
            self._since = at or self.written
            log.warning("history is paused: %s", why)
        self.trouble = why

    def _ended(self, running: Future[None]) -> None:
        error = None if running.cancelled() else running.exception()
        if error:
            log.error("history is not written any more", exc_info=error)
            self.trouble = f"it ended by a fault: {error}"


def reason(error: OSError | sqlite3.Error) -> str:
    """What went wrong, for people."""
    if isinstance(error, OSError):
        return REASONS.get(error.errno or 0, str(error))
    return "disk full" if error.sqlite_errorname == "SQLITE_FULL" else str(error)
