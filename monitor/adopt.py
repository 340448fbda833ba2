"""A changed configuration, brought to the rooms that run, in one turn of the event loop."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from tornado.web import Application

from monitor import parts
from monitor.access import Access
from monitor.collect.loop import CollectLoop
from monitor.config import Problem, running, state_directory
from monitor.formats import live
from monitor.log import set_up
from monitor.reload import MOST, Standing
from monitor.server.arrivals import WatchedServer
from monitor.server.boards import Shown, shown
from monitor.server.workers import Workers
from monitor.stream.audience import Audience, Greeting
from monitor.stream.feeds import Feeds
from monitor.stream.terms import Terms, adopt

if TYPE_CHECKING:
    from monitor.config import Settings

LONGEST = 300
"""Characters of a problem that are shown."""


@dataclass(frozen=True)
class Rooms:
    """What a reload reaches."""

    instance: str
    fixed: Mapping[str, str]
    """Settings that no file changes, by the variable or flag that gives them."""
    entrances: Sequence[tuple[Application, WatchedServer]]
    access: Access
    collector: CollectLoop
    feeds: Feeds
    audience: Audience
    workers: Workers

    def adopt(self, old: Settings, new: Settings, standing: Standing) -> None:
        """From the old settings to the new, and everybody is told; only what a reload may change differs."""
        before = self.audience.greeting
        told = show(new, standing)
        if new != old:
            self._open(new)
            self._collect(old, new)
            if new.log != old.log:
                set_up(new.log.level, new.log.format)
        for application, _ in self.entrances:
            application.settings["shown"] = told
        fresh = parts.greeting(new, self.instance, told.version, before.server["history"])
        greeting = replace(fresh, epoch=before.epoch)
        notices = list(news(before, greeting))
        boards = {board.name: parts.queries(board) for board in new.boards}
        terms = Terms(boards, greeting, parts.session_limits(new), parts.bounds(new))
        adopt(self.audience, terms, notices)
        self.workers.change(parts.worker(new, self.audience), notices)
        with suppress(OSError):  # It is there for people to look at.
            running.write(state_directory(new, os.environ), standing.told, self.fixed)

    def tell_history(self, settings: Settings, paused: str) -> None:
        """History is paused for this reason, or is written again: who is here is told, and who comes."""
        greeting = self.audience.greeting
        if greeting.server["history"] == paused:
            return
        text = f"History is paused: {paused}." if paused else "History is written again."
        notices = [live.notice("history", text, paused=paused)]
        greeting = replace(greeting, server={**greeting.server, "history": paused})
        audience = self.audience
        adopt(audience, Terms(audience.boards, greeting, audience.limits, audience.bounds), notices)
        self.workers.change(parts.worker(settings, audience), notices)

    def _open(self, new: Settings) -> None:
        """Who may come, and what may be asked."""
        websocket, limits = new.server.websocket, parts.query_limits(new)
        patience = parts.patience(new)
        for application, server in self.entrances:
            application.settings.update(
                guard=parts.guard(new),
                limits=limits,
                points=new.server.query.points,
                websocket_ping_interval=websocket.ping_interval,
                websocket_ping_timeout=websocket.ping_timeout,
            )
            server.set_patience(patience)
            server.proxies = parts.proxies(new)
        self.access.change(parts.users(new), parts.nobody(new))
        self.feeds.limit(limits)
        self.audience.doors.clients = websocket.max_clients
        self.audience.doors.per_address = websocket.per_address

    def _collect(self, old: Settings, new: Settings) -> None:
        """A collector whose options did not change goes on as it is."""
        before, after = dict(old.collect.collectors), dict(new.collect.collectors)
        if before == after:
            return
        held = self.collector.collectors
        self.collector.change(
            {
                name: held[name] if before[name] == after[name] else made
                for name, made in parts.collectors(new).items()
            }
        )


def show(settings: Settings, standing: Standing) -> Shown:
    """What is told to who asks."""
    problems = [problem_shown(problem) for problem in standing.problems[:MOST]]
    return shown(parts.boards(settings), problems, len(standing.problems), standing.waiting)


def problem_shown(problem: Problem) -> dict[str, str]:
    """A problem without the folders of this machine."""
    place = problem.place._replace(name=PurePath(problem.place.name).name)
    text = problem.text if len(problem.text) <= LONGEST else problem.text[:LONGEST] + "…"
    return {"place": str(place), "path": problem.path, "text": text}


def news(before: Greeting, after: Greeting) -> Iterator[bytes]:
    """What those who were greeted before have to be told now (docs/protocol.md, notice)."""
    if before.limits != after.limits:
        yield live.notice("limits", "The service has other limits from now on.", limits=after.limits)
    if before.server != after.server:
        version = after.server["configuration"]
        yield live.notice("configuration", "The service has news of its configuration.", version=version)
