"""A house with a past that memory does not have: it is read when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from monitor.promql import Archive, Limits, QueryError
from monitor.promql.archive import Work
from monitor.storage import Storage
from monitor.storage.head import Head
from monitor.stream.feeds import Feeds
from monitor.stream.limits import SessionLimits
from tests.clock import Clock
from tests.stream.house import START, House

Result = TypeVar("Result")
WINDOW = 310_000
"""Milliseconds in memory: ten seconds more than a query of the newest sample looks back."""


class Shelves(Archive):
    """Reads in the order asked, when told to."""

    def __init__(self, near: Storage, far: Storage) -> None:
        super().__init__(near, far, WINDOW)
        self.waiting: list[Callable[[], None]] = []
        self.fails: QueryError | None = None

    def begin(
        self, work: Work[Result], patience: float, answer: Callable[[Result | QueryError], None]
    ) -> None:
        def read() -> None:
            answer(self.worked(work) if self.fails is None else self.fails)

        self.waiting.append(read)

    def worked(self, work: Work[Result]) -> Result | QueryError:
        try:
            return work(self.all)
        except QueryError as error:
            return error

    def catch_up(self) -> bool:
        """All that waits; whether anything did."""
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            each()
        return bool(waiting)


class DeepHouse(House):
    """Its past is 400 seconds long to begin with."""

    def __init__(self, limits: SessionLimits | None = None) -> None:
        super().__init__(limits)
        self.head, self.far = Head(WINDOW), Head(10**13, rows=10**6)
        self.archive = Shelves(self.head, self.far)
        self.restart()
        for second in range(1, 401):
            self.store(second)
        self.feeds.now = (START + 400) * 1000

    @property
    def storage(self) -> Head:
        return self.far

    def restart(self) -> None:
        clock = Clock()
        self.feeds = Feeds(
            self.head, 1000, Limits(), lambda: START + self.second, clock, archive=self.archive
        )

    def store(self, second: int) -> int:
        self.far.append(self.scrape(second))
        return super().store(second)

    def settle(self) -> bool:
        return self.archive.catch_up()
