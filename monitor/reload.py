"""A reload of the configuration: taken as a whole, or refused with the old one in force.

The files are read and checked elsewhere (monitor/reading.py), beside what is in force; here what the new
values need is checked, and they are handed over in one turn of the event loop.  What came of it is in the
log, in the metrics, and with everybody who watches.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from monitor.config import ConfigError, Origin, Place, Problem
from monitor.config.change import Change, Takes, Told
from monitor.config.read import Read
from monitor.footprint import footprint, judge, memory_limit
from monitor.server.descriptors import raise_limit, shortage
from monitor.telemetry import Telemetry

if TYPE_CHECKING:
    from monitor.config import Settings

log = logging.getLogger(__name__)

LOOK = 2.0
"""Seconds between two looks at the files, where they are watched."""
MOST = 20
"""Problems that are told of one configuration, and changes in a line of the log."""


class Standing(NamedTuple):
    """What is to be said of the configuration."""

    problems: Sequence[Problem] = ()
    """Why the newest was refused."""
    waiting: Sequence[str] = ()
    """Key paths of the settings whose newest values need a restart."""
    told: Told = Told()
    """What the settings in force are, for people."""


Adopt: TypeAlias = "Callable[[Settings, Settings, Standing], None]"
"""Brings the running rooms from the first settings to the second, and tells everybody; it cannot fail."""
Stamp = tuple[int, int, int] | None
Stamps = dict[Path, Stamp]


def nobody() -> None:
    """Hears of no reload."""


def nothing(_old: Settings, _new: Settings, _standing: Standing) -> None:
    """Runs that could be changed."""


class Reload:
    """Reloads one after the other, as often as asked for."""

    def __init__(
        self,
        settings: Settings,
        origin: Origin,
        read: Callable[[Settings], Awaitable[Read]],
        telemetry: Telemetry,
    ) -> None:
        self.settings = settings
        """Those in force."""
        self.place = Place(str(origin.path or "the configuration"))
        """Of problems that stand nowhere else."""
        self.standing = Standing(told=origin.told)
        self.adopt: Adopt = nothing
        self.begins: Callable[[], None] = nobody
        self.over: Callable[[], None] = nobody
        """Called at the beginning and at the end of each reload, whatever comes of it."""
        self.files = origin.files
        """Those read last."""
        self._read = read
        self._telemetry = telemetry
        self._succeeded()
        self._asked = asyncio.Event()
        self._known: Stamps = {}
        self._seen: Stamps = {}

    def ask(self) -> None:
        """Have a reload done soon; several asked for at once are one."""
        self._asked.set()

    async def run(self) -> None:
        """Do what is asked for, until cancelled."""
        while await self._asked.wait():
            self._asked.clear()
            await self.now()

    async def now(self) -> bool:
        """Read everything anew, and take it if it is right.  Whether it was taken."""
        self.begins()
        try:
            return await self._attempt()
        finally:
            self.over()

    async def _attempt(self) -> bool:
        try:
            read = await self._read(self.settings)
            check(read.settings, self.place)
        except ConfigError as error:
            self._refuse(error)
            return False
        except OSError as error:  # The limits of this machine cannot be looked up at present.
            problem = Problem(self.place, "", f"cannot be judged: {error}, expected an answer")
            self._refuse(ConfigError([problem]))
            return False
        self.files = read.files
        self._take(read)
        return True

    def _refuse(self, error: ConfigError) -> None:
        self._telemetry.config_successful = 0
        self.standing = self.standing._replace(problems=error.problems)
        self.adopt(self.settings, self.settings, self.standing)
        log.error(
            "the configuration was not taken, and the one before stays in force; to correct: %s",
            listed([str(problem) for problem in error.problems]),
        )

    def _take(self, read: Read) -> None:
        """Adopt what can be."""
        waiting = [change.path for change in read.changes if change.takes is Takes.RESTART]
        old, self.settings = self.settings, read.settings
        self.standing = Standing((), waiting, read.told)
        self.adopt(old, self.settings, self.standing)
        self._succeeded()
        self._say(read.changes)

    def _succeeded(self) -> None:
        self._telemetry.config_successful, self._telemetry.config_taken_at = 1, time.time()
        self._telemetry.config_waiting = len(self.standing.waiting)

    def _say(self, found: Sequence[Change]) -> None:
        taken = [f"{change.path}: {change.what}" for change in found if change.takes is Takes.RELOAD]
        log.info("the configuration was reloaded: %s", listed(taken) if taken else "nothing has changed")
        if self.standing.waiting:
            log.warning("needs a restart: %s", listed(self.standing.waiting))

    def look(self) -> None:
        """Ask for a reload when the files have changed and stand still again, where that is wanted."""
        if not self.settings.reload_on_change:
            self._known = {}
            return
        seen = {path: stamp(path) for path in self.files}
        changed = any(seen[path] != self._known.get(path, seen[path]) for path in seen)
        if changed and seen != self._seen:
            self._seen = seen  # Perhaps it is still being written.
            return
        if changed:
            self.ask()
        self._known = self._seen = seen


def check(settings: Settings, place: Place) -> None:
    """What a start checks of this machine, too.  Raises ConfigError."""
    judged = judge(footprint(settings), memory_limit())
    short = shortage(settings.server.websocket.max_clients, raise_limit())
    key = "server.websocket.max_clients"
    faults = ["" if judged.fits else judged.text, (short or "").removeprefix(f"{key}: ")]
    if any(faults):
        raise ConfigError(Problem(place, key, fault) for fault in faults if fault)


def stamp(path: Path) -> Stamp:
    """What changes whenever a file does, whether it is written or replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def listed(texts: Sequence[str]) -> str:
    rest = f"; and {len(texts) - MOST} more" if len(texts) > MOST else ""
    return "; ".join(texts[:MOST]) + rest
