"""What a signal has the service do (signal(7)), and how it stays with that until the process has ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def heard(actions: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """While it is open, each signal calls its action in a turn of the running loop.

    Afterwards they are ignored, to the end of the process: one that comes again while it ends must not change
    how.  A loop's own handlers cannot do that: when it closes, it gives signals back what they do by default.
    """
    loop = asyncio.get_running_loop()
    for number, act in actions.items():
        # The kernel gives them to the main thread, whose wait they end, and the call wakes the loop.
        signal.signal(number, lambda *_, act=act: loop.call_soon_threadsafe(act))
    try:
        yield
    finally:
        for number in actions:
            signal.signal(number, signal.SIG_IGN)
