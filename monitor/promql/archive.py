"""Where the past is: the newest of it in memory, which answers at once, and all of it, which threads read.

The event loop waits for no disk.  What memory alone can answer is answered by the caller; the rest is work
for a few threads, each piece of which is bounded by the limits of queries.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor  # noqa: TID251 - the disk is the machine's own
from contextlib import suppress
from typing import TypeVar

from monitor.promql.errors import AwayError, QueryError
from monitor.storage import Storage

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Work = Callable[[Storage], Result]

THREADS = 2
MOST = 64
"""Questions that wait or are worked on; one more is refused."""
BUSY = "too many long queries at once; ask again in a moment"


class Archive:
    """Close it at the end: what waits then is given up."""

    def __init__(
        self,
        near: Storage,
        far: Storage | None = None,
        window: int = 0,
        begins: Callable[[], int | None] = lambda: None,
        strays: tuple[int, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`near` keeps `window` ms in memory; `far` has all, and blocks: without it there is no more.

        `begins` tells the time (ms) before which `far` has nothing either, if that is known; `strays` are the
        first and the last time (ms) of what is newer than what memory begins with, and not in it.
        """
        self.near, self.far, self.window = near, far, window
        self._begins, self._strays = begins, strays
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, "reader")
        self._asked = 0

    @property
    def all(self) -> Storage:
        """What knows of everything."""
        return self.near if self.far is None else self.far

    def has(self, earliest: int, latest: int) -> bool:
        """Whether memory has all there is between these times (ms)."""
        if self.far is None:
            return True
        if self._strays and earliest <= self._strays[1] and latest >= self._strays[0]:
            return False
        oldest, begins = self.near.oldest(), self._begins()
        known = earliest if begins is None else max(earliest, begins)
        return oldest is not None and oldest <= known

    def keeps(self, earliest: int, now: int) -> bool:
        """Whether memory will have what lies between these times (ms), once it has been filled."""
        return self.far is None or now - earliest <= self.window

    async def read(self, work: Work[Result], patience: float) -> Result:
        """What the work gives, in one of the threads; it begins within `patience` seconds, and takes as long
        at most.

        A caller that is cancelled gives up its place.  Raises AwayError, and what the work raises.
        """
        future = self._submit(work, patience)
        try:
            async with asyncio.timeout(2 * patience + 1):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise AwayError(BUSY) from None

    def begin(
        self, work: Work[Result], patience: float, answer: Callable[[Result | QueryError], None]
    ) -> None:
        """Have work done, and the answer or what it raised given in a later turn of the event loop."""
        loop = asyncio.get_running_loop()
        try:
            future = self._submit(work, patience)
        except AwayError as error:
            loop.call_soon(answer, error)
            return
        future.add_done_callback(lambda done: in_turn(loop, deliver, done, answer))

    def close(self) -> None:
        """Give up what waits; what is being worked on ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _submit(self, work: Work[Result], patience: float) -> Future[Result]:
        if self._asked >= MOST:
            raise AwayError(BUSY)
        self._asked += 1
        future = self._threads.submit(self._work, work, self._clock() + patience)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: in_turn(loop, self._done))
        return future

    def _done(self) -> None:
        self._asked -= 1

    def _work(self, work: Work[Result], until: float) -> Result:
        if self._clock() > until:
            raise AwayError(BUSY)
        try:
            return work(self.all)
        except OSError as error:
            log.error("history cannot be read: %s", error)
            raise AwayError(f"history cannot be read at present: {error}") from error


def in_turn(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *arguments: object) -> None:
    """Have the event loop call; at the end of the service nobody waits for it any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *arguments)


def deliver(done: Future[Result], answer: Callable[[Result | QueryError], None]) -> None:
    """Whoever waits is answered, also where a fault of ours is in the way."""
    if done.cancelled():
        return
    error = done.exception()
    if error is None:
        answer(done.result())
    elif isinstance(error, QueryError):
        answer(error)
    else:
        log.error("a question to history failed", exc_info=error)
        answer(AwayError("the service failed; its log says why"))
