"""How far something has come, on one line of a terminal; on anything else nothing is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

WIDTH = 30
EVERY = 0.1
"""Seconds from one drawing to the next at least."""
CLEAR = "\r\x1b[K"
"""Back to the beginning of the line, and nothing on it (ECMA-48, 8.3)."""


class Bar:
    """Called with what is done and what there is in all, in any unit; gone at the end."""

    def __init__(self, title: str, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._title, self._out, self._clock = title, out, clock
        self._shown = out.isatty()
        self._next = clock()

    def __call__(self, done: int, total: int) -> None:
        now = self._clock()
        if self._shown and now >= self._next:
            self._next = now + EVERY
            self._out.write(CLEAR + drawn(self._title, done, total))
            self._out.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._out.write(CLEAR)
            self._out.flush()


def drawn(title: str, done: int, total: int) -> str:
    """`checking  [#########---------------------]  30%`."""
    part = min(1.0, done / total) if total else 1.0
    full = int(part * WIDTH)
    return f"{title}  [{'#' * full}{'-' * (WIDTH - full)}] {int(part * 100):3d}%"
