"""Hooks of a connection that raise or never come to an end: each session goes once all the same."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.app import Service
from monitor.config import load
from monitor.server.base import Base
from monitor.server.live import LiveHandler
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import played
from tests.faults.watcher import Watcher, watched

TITLE = "V4: hooks that raise or hang"
EACH, HEALTHY = 100, 10
FLAGS = {
    "server.listen": "127.0.0.1:0",
    "collect.interval": "200ms",
    "access.anonymous": "viewer",
    "server.websocket.ping_interval": "400ms",
    "server.websocket.ping_timeout": "400ms",
    "server.websocket.no_drain": "1s",
    "server.websocket.close_timeout": "300ms",
    "server.websocket.sweep_interval": "200ms",
    "server.websocket.per_address": "200",
}
MARK = "X-Fault"
"""A header of those whose hooks fail; beside them are viewers whose hooks do not."""
PATIENCE = 30

Fault = Callable[[], Any]


class FaultError(Exception):
    """What a hook raises."""


class Told(logging.Filter):
    """Counts the records of our faults, and keeps them from holding the handlers in memory."""

    count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        ours = record.exc_info is not None and isinstance(record.exc_info[1], FaultError)
        self.count += ours
        return not ours


@contextmanager
def heard() -> Iterator[Told]:
    told = Told()
    log = logging.getLogger(Base.__module__)
    log.addFilter(told)
    yield told
    log.removeFilter(told)


@dataclass(frozen=True)
class Case:
    hook: str
    fault: str
    after: bool = False
    """Whether the hook does its work before it fails."""

    @property
    def name(self) -> str:
        return f"`{self.hook}` {self.fault}{', its work done' if self.after else ''}"


CASES = (
    Case("open", "raises"),
    Case("open", "raises", after=True),
    Case("open", "hangs", after=True),
    Case("on_message", "raises"),
    Case("on_message", "hangs"),
    Case("on_close", "raises"),
    Case("on_close", "hangs"),
)


@dataclass
class Outcome:
    case: Case
    connected: int = 0
    opened: int = 0
    gone: int = 0
    left: int = 0
    """Sessions that are still there."""
    handlers: int = 0
    """Of the connections that failed, still in memory."""
    orphans: int = 0
    cut: int = 0
    """Of those beside them, cut."""
    told: int = 0
    """Faults that the log tells of."""

    @property
    def held(self) -> bool:
        opened = self.connected if self.case != CASES[0] else 0
        once = self.opened == self.gone == opened
        logged = self.told == (self.connected if self.case.fault == "raises" else 0)
        return once and logged and not (self.left or self.handlers or self.orphans or self.cut)


def rows(options: Options) -> Iterator[Row]:
    yield from told(played(lambda folder: campaign(folder, options.of(EACH), HEALTHY)))


def told(found: list[Outcome]) -> Iterator[Row]:
    for each in found:
        text = f"{each.connected} connected, {each.opened} opened, {each.gone} gone, {each.told} in the log"
        yield Row(each.case.name, text, each.held)
    for what, number in {
        "orphans, and sessions left": sum(each.orphans + each.left for each in found),
        "handlers left in memory": sum(each.handlers for each in found),
        "viewers beside them that were cut": sum(each.cut for each in found),
    }.items():
        yield Row(what, number, not number)


async def campaign(folder: Path, each: int, healthy: int) -> list[Outcome]:
    made = Service(load(None, {}, {**FLAGS, "storage.path": str(folder)}).settings)
    found = []
    async with made.running() as url, watched(url, healthy) as watchers:
        for case in CASES:
            with heard() as faults:
                found.append(await tried(made, url, case, each, watchers))
            found[-1].told = faults.count
            progress(f"{case.name}: {found[-1]}")
    return found


async def tried(made: Service, url: str, case: Case, each: int, watchers: list[Watcher]) -> Outcome:
    told = made.telemetry
    found = Outcome(case)
    opened, gone, orphans = told.sessions_opened, told.gone.total(), told.orphans
    healthy = len(made.audience)
    with failing(case) as handlers:
        clients = await asyncio.gather(*(connected(url) for _ in range(each)))
        found.connected = len(clients)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(provoked(case, client) for client in clients))
            while len(made.audience) > healthy or told.gone.total() - gone < told.sessions_opened - opened:
                await asyncio.gather(*(watcher.ticks(1) for watcher in watchers))
        await asyncio.gather(*(watcher.ticks(2) for watcher in watchers))
    found.opened, found.gone = told.sessions_opened - opened, told.gone.total() - gone
    found.orphans, found.left = told.orphans - orphans, len(made.audience) - healthy
    found.cut = sum(watcher.cut for watcher in watchers)
    await watchers[0].ticks(1)
    gc.collect()
    found.handlers = len(handlers)
    return found


@contextmanager
def failing(case: Case) -> Iterator[weakref.WeakSet[LiveHandler]]:
    """The hook fails for those who are marked; yields their handlers.  What hangs is let go at the end."""
    handlers: weakref.WeakSet[LiveHandler] = weakref.WeakSet()
    hanging: list[asyncio.Future[None]] = []
    original = getattr(LiveHandler, case.hook)
    admitted = LiveHandler.open

    def raises() -> NoReturn:
        raise FaultError("a fault of ours")

    def hangs() -> asyncio.Future[None]:
        hanging.append(asyncio.get_running_loop().create_future())
        return hanging[-1]

    def hook(self: LiveHandler, *arguments: Any) -> Any:
        if self not in handlers:
            return original(self, *arguments)
        if case.after:
            original(self, *arguments)
        return raises() if case.fault == "raises" else hangs()

    def noted(self: LiveHandler, *arguments: str) -> Any:
        if MARK in self.request.headers:
            handlers.add(self)
        return hook(self, *arguments) if case.hook == "open" else admitted(self, *arguments)

    with patch.object(LiveHandler, case.hook, hook), patch.object(LiveHandler, "open", noted):
        yield handlers
    for future in hanging:
        future.set_result(None)


async def connected(url: str) -> WebSocketClientConnection:
    return await websocket_connect(HTTPRequest(url.replace("http", "ws") + "live", headers={MARK: "1"}))


async def provoked(case: Case, client: WebSocketClientConnection) -> None:
    """Make the hook run, and wait for the end that the service must bring about."""
    if case.hook == "on_message":
        await client.write_message('{"type": "visible", "visible": true}')
    if case.hook == "on_close":
        client.close()
    while await client.read_message() is not None:
        pass
    client.close()
