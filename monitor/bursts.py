"""The last minute, many times a second, and what was kept of it: in bounded memory, gone with the process."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from monitor import parts
from monitor.collect.burst import Recorder
from monitor.model import Labels, Scrape
from monitor.server.bursts import Burst
from monitor.storage.head import Head
from monitor.storage.snapshot import Snapshot
from monitor.stream.isolation import Isolated, nowhere
from monitor.telemetry import Telemetry

if TYPE_CHECKING:
    from monitor.config import Settings

SERIES = 1_000
"""Series that are recorded at most."""
SPARE = 2
"""Rows beside those of the length."""
EVER = 2**53
"""Milliseconds."""


class Bursts:
    """What the recorder hands over, while it is switched on."""

    def __init__(
        self, settings: Settings, target: Labels, clock: Callable[[], float], isolated: Isolated = nowhere
    ) -> None:
        """`clock` tells Unix time in seconds."""
        wanted = settings.collect.burst
        self.enabled = wanted.enabled
        self.length = parts.milliseconds(wanted.length)
        self.interval = parts.milliseconds(wanted.interval)
        self._keep, self._age = wanted.keep, parts.milliseconds(wanted.age)
        rows = self.length // self.interval + SPARE
        self.held = Head(self.length, series=SERIES, target_series=SERIES, rows=rows)
        self._kept: list[Burst] = []
        self._clock, self._isolated = clock, isolated
        self._began = clock()
        self.recorder: Recorder | None = None
        if self.enabled:
            self.recorder = parts.recorder(settings, self._hold, target)

    async def run(self) -> None:
        """Record until cancelled, where that is wanted."""
        if self.recorder:
            await self.recorder.run()

    def _hold(self, scrape: Scrape) -> None:
        """What cannot be held ends neither recording nor the service."""
        with self._isolated("recording of bursts"):
            self.held.append(scrape)

    @property
    def cost(self) -> float:
        """Which share of a core recording took since the start."""
        return self.spent / max(self._clock() - self._began, 1.0)

    @property
    def spent(self) -> float:
        """Seconds of CPU that recording took since the start."""
        return self.recorder.spent if self.recorder else 0.0

    def tell(self, telemetry: Telemetry) -> None:
        """What it takes, and how many are kept."""
        telemetry.burst_seconds, telemetry.bursts_kept = self.spent, len(self.kept)

    @property
    def kept(self) -> list[Burst]:
        """Those that are not too old, the newest first."""
        if self._kept:
            now = round(self._clock() * 1000)
            self._kept = [each for each in self._kept if now - each.time <= self._age]
        return self._kept

    def keep(self, reason: str) -> Burst | None:
        """What is held now, kept under that reason; the oldest makes room.  None where nothing is held."""
        found = self.held.select((), -EVER, EVER)
        if not found:
            return None
        snapshot = Snapshot(found[0], self.held.metadata())
        now = round(self._clock() * 1000)
        burst = Burst(secrets.token_hex(6), reason, now, self.interval, snapshot)
        self._kept = [burst, *self.kept][: self._keep]
        return burst
