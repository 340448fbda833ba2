"""The part of a collector that hardly ever changes is measured now and then, and stands in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf

from monitor.collect.host import Host
from monitor.model import Block

EVERY = 60.0


class Seldom:
    """Blocks that are measured again after `every` seconds of passes; where a collector has no others, it is
    a Rare one (monitor.collect.collector) instead.

    The files read for them are closed again, so that they take no descriptor meanwhile.
    """

    def __init__(self, measure: Callable[[Host], Iterable[Block]], every: float = EVERY) -> None:
        self._measure = measure
        self._every = every
        self._due = -inf
        self._blocks: Sequence[Block] = ()

    def blocks(self, host: Host) -> Sequence[Block]:
        """What was measured last.  Raises what measuring raises, and then measures anew in the next pass."""
        if host.now >= self._due:
            with host.passing():
                self._blocks = tuple(self._measure(host))
            self._due = host.now + self._every
        return self._blocks
