"""Carry every stored scrape to whoever asked: streams, alerts, forwarders."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from monitor.model import Scrape

log = logging.getLogger(__name__)
Subscriber: TypeAlias = Callable[[Scrape], None]


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
