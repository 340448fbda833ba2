"""This host measured by the service's own collectors, in this process, at a pace of our choice."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable

from monitor import parts
from monitor.app import Service
from monitor.collect import CollectLoop
from monitor.config import Settings
from monitor.model import Scrape
from monitor.start import settle

STEP = 1000
"""Milliseconds of the made-up time between two passes: the service's interval."""


class Watched:
    """The service's rooms, and a collect loop whose clock goes on by one second with each pass.

    The collectors see that second pass in `pace` seconds, so counters move less than in life; the work is
    the same.
    """

    def __init__(self, pace: float) -> None:
        self.service = Service(Settings())
        self.files = parts.host(self.service.settings)
        self.pace = pace
        self.samples = 0
        """Stored by the newest pass, the service's own figures among them."""
        self.now = 0
        """Time of the newest pass, ms."""
        self.scrape: Scrape | None = None
        """The newest."""
        self.cpu: list[float] = []
        """CPU seconds of each pass, from the clock's tick until the head has it."""
        self._wall = time.time() // 1
        self._began = 0.0
        self._left = 0
        self._between: Callable[[], None] = lambda: None

    def passes(self, count: int, between: Callable[[], None] = lambda: None) -> None:
        """Measure so many times; `between` is called before each pass."""
        self._left, self._between = count, between
        self.cpu.clear()
        before = gc.get_threshold()
        settle()  # As the service does once it has started.
        try:
            asyncio.run(self._run())
        finally:
            gc.unfreeze()
            gc.set_threshold(*before)

    async def _run(self) -> None:
        settings = self.service.settings
        loop = CollectLoop(
            self.files,
            parts.collectors(settings),
            self._accept,
            target=self.service._target(settings.collect.job),
            telemetry=self.service.telemetry,
            wall=lambda: self._wall,
            monotonic=lambda: self._wall,
            sleep=self._sleep,
        )
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.create_task(loop.run())

    async def _sleep(self, seconds: float) -> None:
        """Stands for the loop's waiting: the clock goes on by as much, and CPU is counted from its end."""
        await asyncio.sleep(self.pace)
        if not self._left:
            raise asyncio.CancelledError
        self._left -= 1
        self._between()
        self._wall += seconds
        self._began = time.process_time()

    def _accept(self, scrape: Scrape) -> None:
        self.service.accept(scrape)
        self.cpu.append(time.process_time() - self._began)
        blocks = (*scrape.blocks, *self.service.telemetry.blocks())
        self.samples = sum(len(block.layout) for block in blocks)
        self.scrape, self.now = scrape, scrape.timestamp
