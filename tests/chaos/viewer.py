"""A viewer that keeps to docs/protocol.md, as the page does (web/src/wire/live.ts).

Ticks come five times as often as by default, and so its waits are a fifth of the page's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any

from tests.chaos.backoff import Backoff
from tests.chaos.book import Book, HoleError
from tests.chaos.line import Line, Place

FIRST, CEILING, HEALTHY_AFTER = 0.05, 3.0, 6.0
"""Back-off in seconds (rule 7): full jitter under a growing ceiling, from the start after so much health."""
PATIENCE = 4.0
"""Seconds for a connection to open, or for an answer to come."""


class Viewer:
    def __init__(self, place: Place, seed: int) -> None:
        self.place = place
        self.random = Random(seed)
        self.book = Book()
        self.changed = asyncio.Event()
        self.connections = 0
        self.lost = 0
        """Connections given up for silence, those that did not come about among them."""
        self._line: Line | None = None
        self._visible = True
        self._frozen = False
        self._woken = asyncio.Event()
        self._sight = asyncio.Event()
        self._sight.set()
        self._backoff = Backoff(FIRST, CEILING, self.random)
        self._limits: dict[str, int] = {}
        self._unacknowledged = 0
        self._ack: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        clock = asyncio.get_running_loop()
        while True:
            # A page that is hidden does not try to come back.
            await self._sight.wait()
            self._woken.clear()
            began = clock.time()
            with suppress(OSError, EOFError, TimeoutError):
                await self._watch()
            if clock.time() - began > HEALTHY_AFTER:
                self._backoff.tries = 0
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._backoff.wait())

    async def _watch(self) -> None:
        """One connection, to its end."""
        clock = asyncio.get_running_loop()
        asked = clock.time()
        self._line = await self._unless_woken(Line.open(self.place))
        self.connections += 1
        round_trip = clock.time() - asked
        try:
            answered = False
            while True:
                message, size = await self._heard(round_trip, answered)
                if message["type"] == "welcome":
                    self._greeted(message)
                    asked = clock.time()
                elif message["type"] == "subscribed":
                    round_trip, answered = clock.time() - asked, True
                self._take(message, size)
        finally:
            self._line.abort()
            self._line = None
            self._acknowledged()

    async def _unless_woken(self, opening: Coroutine[Any, Any, Line]) -> Line:
        """The page is told that the network is back: it gives up an attempt that may hang, and tries anew."""
        attempt = asyncio.ensure_future(opening)
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait([attempt, woken], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if attempt.done():
                return attempt.result()
            if not woken.done():
                self._give_up()
            raise TimeoutError
        finally:
            for task in (attempt, woken):
                task.cancel()
            await asyncio.gather(attempt, woken, return_exceptions=True)

    async def _heard(self, round_trip: float, answered: bool) -> tuple[dict[str, Any], int]:
        """The next message.  Silence ends the connection, but not while nobody looks (rule 7)."""
        assert self._line is not None
        silence = 3 * self.book.step / 1000 + 2 * round_trip if answered else PATIENCE
        hearing = asyncio.ensure_future(self._line.message())
        try:
            while True:
                await asyncio.wait([hearing], timeout=silence)
                if hearing.done():
                    return hearing.result()
                if self._visible and not self._frozen:
                    self._give_up()
                    raise TimeoutError
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    def _give_up(self) -> None:
        self.lost += 1
        self.changed.set()

    def _greeted(self, message: dict[str, Any]) -> None:
        self._limits = message["limits"]
        self.book.welcome(message)
        self._send(self.book.ask())
        if not self._visible:
            self._send({"type": "visible", "visible": False})

    def _take(self, message: dict[str, Any], size: int) -> None:
        self._unacknowledged += size
        if message["type"] == "notice" and message["code"] == "restarting":
            self._backoff.told = message["details"]["retry_in"] / 1000
        try:
            columns = self.book.take(message)
        except HoleError:
            self._send(self.book.ask())
            return
        if columns:
            self._owe()
            self.changed.set()

    def _owe(self) -> None:
        """Rule of `ack`: after so many bytes, and at least so often."""
        if self._unacknowledged >= self._limits["ack_bytes"]:
            self._acknowledge()
        elif self._ack is None:
            loop = asyncio.get_running_loop()
            self._ack = loop.call_later(self._limits["ack_after"] / 1000, self._acknowledge)

    def _acknowledge(self) -> None:
        self._acknowledged()
        if self._visible and not self._frozen and self._line is not None:
            self._send({"type": "ack", "feed": self.book.feed, "n": self.book.n, "lag": 1})

    def _acknowledged(self) -> None:
        self._unacknowledged = 0
        if self._ack is not None:
            self._ack.cancel()
            self._ack = None

    def _send(self, message: dict[str, Any]) -> None:
        if self._line is not None:
            self._line.send(message)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until something has come, or was lost, that makes the condition true."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    async def reach(self, n: int) -> None:
        """Until column n or a later one is held."""
        await self.until(lambda: (self.book.newest or 0) >= n * max(1, self.book.step))

    def report(self) -> dict[str, Any]:
        return {**self.book.report(), "connections": self.connections, "lost": self.lost}

    def reset(self) -> None:
        if self._line is not None:
            self._line.abort()

    def finish(self) -> None:
        if self._line is not None:
            self._line.finish()

    def hide(self) -> None:
        self._acknowledge()
        self._visible = False
        self._sight.clear()
        self._send({"type": "visible", "visible": False})

    def show(self) -> None:
        self._visible = True
        self._sight.set()
        self._send({"type": "visible", "visible": True})
        self.wake()

    def freeze(self) -> None:
        """The page is busy: its connection lives, and it neither acknowledges nor looks at the clock."""
        self._frozen = True

    def thaw(self) -> None:
        self._frozen = False
        self._acknowledge()

    def wake(self) -> None:
        """The network is back: no waiting for the next try."""
        if self._line is None:
            self._woken.set()
