"""What is kept of samples: the newest in memory, and history on the disk where that is wanted."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from monitor import parts
from monitor.config import state_directory
from monitor.model import Event
from monitor.promql import Archive
from monitor.start import StartError
from monitor.storage import Selection, Storage
from monitor.storage.store import Ask, Retention, Store, StoreError
from monitor.telemetry import Telemetry

if TYPE_CHECKING:
    from monitor.config import Settings

FOLDER = "history"
PATIENCE = 10.0
"""Seconds that a thread waits for the event loop to read memory for it."""


class Kept:
    """The rooms' storage, before and after it is opened."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.head = parts.head(settings)
        self.store: Store | None = None
        self.archive = Archive(self.head)

    @property
    def storage(self) -> Storage:
        """What samples are appended to; reading it never blocks."""
        return self.store or self.head

    async def __aenter__(self) -> Self:
        """What is open is closed at the end."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Have everything on the disk."""
        self.archive.close()
        if self.store:
            self.store.close()

    def open(self) -> None:
        """Take up what earlier processes stored.  Raises StartError."""
        wanted = self._settings.storage.history
        if not wanted.enabled:
            return
        retention = Retention(wanted.raw, wanted.minutes, wanted.hours, wanted.size)
        step = parts.milliseconds(self._settings.collect.interval)
        try:
            self.store = Store(self.head, folder(self._settings), retention, time.time, step=step)
            self.store.start(on_loop(asyncio.get_running_loop()))
            store = self.store
            self.archive = Archive(
                self.head, store.history, self.head.window, lambda: store.begins, store.strays
            )
        except StoreError as error:
            raise StartError(str(error)) from error

    @property
    def paused(self) -> str:
        """Why history is not written at present, for people; empty while all is well."""
        return self.store.writer.trouble if self.store else ""

    def happened(self, start: int, end: int) -> list[Event]:
        """The events that touch start <= time <= end (ms), by time."""
        return self.store.events.between(start, end) if self.store else []

    def note(self, event: Event) -> None:
        """Keep an event with history, where that is wanted."""
        if self.store:
            self.store.events.add(event)

    def tell(self, telemetry: Telemetry) -> None:
        """How it stands, for /metrics."""
        telemetry.head_series = self.head.series_count
        telemetry.head_bytes = self.head.memory
        if self.store:
            writer = self.store.writer
            telemetry.history_paused = int(bool(writer.trouble))
            telemetry.history_written_at = writer.written / 1000
            telemetry.history_unlogged = writer.lost
            telemetry.history_bytes = writer.bytes
            telemetry.history_damaged = len(self.store.shelf.damage)


def folder(settings: Settings) -> Path:
    """Where history is."""
    return state_directory(settings, os.environ) / FOLDER


def on_loop(loop: asyncio.AbstractEventLoop) -> Ask:
    """A way for other threads to have something read where it may be read: by the event loop."""

    async def give(work: Callable[[], list[Selection]]) -> list[Selection]:
        return work()

    return lambda work: asyncio.run_coroutine_threadsafe(give(work), loop).result(PATIENCE)
