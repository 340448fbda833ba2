"""Carry every stored scrape to whoever asked: streams, alerts, forwarders."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from monitor.model import Scrape

log = logging.getLogger(__name__)
Subscriber: TypeAlias = Callable[[Scrape], None]


QUIET = 60.0
"""Seconds between two lines of log about the same work."""


class Isolation:
    """Work whose faults end with it: they are logged, and what comes after it goes on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """The clock gives seconds."""
        self.clock = clock
        self._said: dict[str, float] = {}

    @contextmanager
    def __call__(self, work: str) -> Iterator[None]:
        """Open it around the work, which is named for the log: one of few names."""
        try:
            yield
        except Exception:
            now = self.clock()
            if now - self._said.get(work, now - QUIET) >= QUIET:
                self._said[work] = now
                log.exception("%s failed; the others go on", work)


class Bus:
    """Synchronous fan-out.  A subscriber that fails is logged and does not stop the others."""

    def __init__(self) -> None:
        self.subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call subscriber with each scrape from now on; call the result to stop."""
        self.subscribers.append(subscriber)
        return lambda: self.subscribers.remove(subscriber)

    def publish(self, scrape: Scrape) -> None:
        for subscriber in tuple(self.subscribers):
            try:
                subscriber(scrape)
            except Exception:
                log.exception("subscriber %r failed", subscriber)
