"""Work that is done over and over, in the wake-ups that the passes over the host take in any case."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

BEHIND = 0.001
"""Seconds after a pass begins at which other work is due: it runs when the pass is over."""
LEAST = 0.1
"""Of an interval: two runs are no closer."""


async def every(interval: Callable[[], float], work: Callable[[], None]) -> None:
    """Do it now and at each interval, in seconds, until cancelled."""
    while True:
        work()
        await asyncio.sleep(pause(interval(), time.time()))


def pause(interval: float, now: float) -> float:
    """Seconds from Unix time `now` until it is due again: at whole multiples of the interval, as passes are.

    To wake up apart from them would cost more than most of what is done then.  It is at most the interval
    and its `LEAST` part, even where the clock was set.
    """
    left = interval - (now - BEHIND) % interval
    return left if left > LEAST * interval else left + interval
