"""/metrics: this host and the service itself, as a page for scrapers."""

from collections.abc import Callable, Iterable

from monitor.access import Permission
from monitor.formats.exposition import Exposition, negotiate
from monitor.model import Block
from monitor.server.base import Base
from monitor.telemetry import Telemetry

Latest = Callable[[], Iterable[Block]]
"""Gives the blocks of the newest scrape of this host; none before the first."""


class Metrics(Base):
    needs = Permission.METRICS

    def initialize(self, latest: Latest, telemetry: Telemetry, exposition: Exposition) -> None:
        self.latest, self.telemetry, self.exposition = latest, telemetry, exposition

    def get(self) -> None:
        flavour = negotiate(self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", flavour)
        self.set_header("Vary", "Accept")
        self.write(self.exposition.encode((*self.latest(), *self.telemetry.blocks()), flavour))

    head = get
