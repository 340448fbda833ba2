"""The front door: every scrape, from whatever source, is stored here and then published."""

from __future__ import annotations

import logging

from monitor.bus import Bus
from monitor.model import Labels, Scrape
from monitor.storage import OutOfOrderError, Storage

log = logging.getLogger(__name__)


class Intake:
    """Stores what is in order and publishes what was stored; refusals are counted and logged."""

    def __init__(self, storage: Storage, bus: Bus) -> None:
        self.storage = storage
        self.bus = bus
        self.refused = 0
        """Samples of scrapes that came out of order."""
        self._refusing: set[Labels] = set()

    def accept(self, scrape: Scrape) -> None:
        """Store a scrape and publish it."""
        try:
            self.storage.append(scrape)
        except OutOfOrderError as error:
            self._refuse(scrape, error)
            return
        self._refusing.discard(scrape.target)
        self.bus.publish(scrape)

    def _refuse(self, scrape: Scrape, error: OutOfOrderError) -> None:
        self.refused += sum(len(block.layout) for block in scrape.blocks)
        if scrape.target not in self._refusing:
            self._refusing.add(scrape.target)
            log.warning("scrape of %s refused: %s", dict(scrape.target), error)
