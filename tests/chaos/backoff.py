"""How long a viewer waits before it comes back (docs/protocol.md, rule 7)."""

from __future__ import annotations

from random import Random


class Backoff:
    """Seconds with full jitter under a growing ceiling, or within what the service said."""

    def __init__(self, first: float, ceiling: float, random: Random) -> None:
        self.first, self.ceiling = first, ceiling
        self.random = random
        self.tries = 0
        """Since all was well."""
        self.told: float | None = None
        """What the service said, for the next try alone."""

    def wait(self) -> float:
        """Seconds until the next try."""
        if self.told is not None:
            within, self.told = self.told, None
            return self.random.uniform(0, within)
        self.tries += 1
        return self.random.uniform(0, min(self.ceiling, self.first * 2 ** (self.tries - 1)))
