"""The only wiring: builds the rooms, starts them bottom-up, stops them top-down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from functools import partial
from signal import SIGHUP, SIGINT, SIGTERM
from typing import TYPE_CHECKING

from tornado.iostream import IOStream
from tornado.web import Application

import monitor
from monitor import parts
from monitor.access import AccessError, invitation, reachable, tell_address
from monitor.adopt import Rooms, show
from monitor.bursts import Bursts
from monitor.bus import Bus, Isolation
from monitor.collect.loop import CollectLoop
from monitor.collect.machine import Machine
from monitor.config import Origin, running, state_directory
from monitor.entrance import Entrance, entrance
from monitor.formats import live
from monitor.intake import Intake
from monitor.kept import Kept
from monitor.model import Block, Kind, Labels, Layout, Metric, Scrape
from monitor.pace import every
from monitor.processes import Processes
from monitor.reading import Reader
from monitor.reload import LOOK, Reload, Standing
from monitor.server import events
from monitor.server.arrivals import Arrivals
from monitor.server.descriptors import raise_limit, shortage
from monitor.server.live import LiveHandler
from monitor.server.redirect import redirecting
from monitor.server.routes import make_application
from monitor.server.sockets import ListenError, close, listen, name_of
from monitor.server.tls import Identity, TlsError
from monitor.server.wire import Sockets
from monitor.server.workers import Workers
from monitor.signals import heard
from monitor.start import StartError as StartError
from monitor.start import judge_memory, make_state_folder, settle, taken_over
from monitor.stream.audience import Audience
from monitor.stream.doors import Doors
from monitor.stream.feeds import Feeds
from monitor.stream.liveness import Awake
from monitor.systemd import HandoverError, Manager, handed_over
from monitor.telemetry import Telemetry

if TYPE_CHECKING:
    from monitor.config import Settings

log = logging.getLogger(__name__)

RETURN, RETURN_TLS = 0.002, 0.006
"""Seconds in which one client can come back, plainly and under TLS, with a margin: the spread of all grows
with their number."""
UP = Metric("up", Kind.GAUGE, "Whether the target could be measured.")
REACHED = Block(Layout([UP.at()]), (1.0,))
"""Stored with every scrape and not on /metrics, where a scraper adds its own."""
FAREWELL = 1.0
"""Seconds that a worker may take beyond close_timeout to end."""
EXTRA = 10.0
"""Seconds that the end may take beyond what the viewers are given, before systemd cuts it short."""
LATE, EXCUSED = 3, 1.0
"""Intervals that a tick may take for the watchdog to hear of it; seconds that it may always take."""
DEFAULTS = Origin()


def serve(settings: Settings, origin: Origin = DEFAULTS) -> int:
    """Run the service until SIGTERM or SIGINT; the exit status.  SIGHUP reloads from the origin.

    Raises StartError.
    """
    try:
        manager = Manager.of(os.environ, os.getpid())
        sockets = handed_over(os.environ, os.getpid())
    except HandoverError as error:
        raise StartError(str(error)) from error
    return asyncio.run(_serve(Service(settings, manager, sockets, origin)))


async def _serve(service: Service) -> int:
    stop = asyncio.Event()
    actions = {SIGTERM: stop.set, SIGINT: stop.set, SIGHUP: service.reload.ask}
    with heard(actions):
        async with service.running() as url:
            sys.stdout.write(f"{reachable(url)}\n{service.invitation(url)}")
            sys.stdout.flush()
            await stop.wait()
    return 0


class Service:
    """All rooms of one process, wired and not yet started."""

    def __init__(
        self,
        settings: Settings,
        manager: Manager | None = None,
        handed_over: Sequence[socket.socket] = (),
        origin: Origin = DEFAULTS,
    ) -> None:
        """`handed_over` are sockets that listen already, in place of those that it would make."""
        self.manager = manager or Manager()
        self.origin = origin
        self.handed_over = tuple(handed_over)
        self.instance = settings.collect.instance or socket.gethostname()
        self.telemetry = Telemetry(monitor.__version__)
        self.reload = Reload(settings, origin, Reader(origin).read, self.telemetry)
        self.reload.begins = self.manager.reloading
        self.reload.over = partial(self.manager.ready, settings.collect.interval)
        self.kept = Kept(settings)
        self.head = self.kept.head
        self.bus = Bus()
        self.intake = Intake(self.head, self.bus)
        self.limits = parts.query_limits(settings)
        self.awake = Awake(time.monotonic, settings.server.websocket.sweep_interval)
        step = parts.milliseconds(settings.collect.interval)
        self.access = parts.access(settings)
        self.isolated = Isolation()
        self.feeds = Feeds(self.head, step, self.limits, time.time, isolated=self.isolated)
        self.audience = self._audience()
        self.workers = self._workers()
        self.arrivals = self._arrivals()
        self.target = self._target(self.settings.collect.job)
        self.bus.subscribe(self.stored)
        collecting = lambda: self.rooms.collector.collectors if self.rooms else {}  # noqa: E731
        self.processes = Processes(parts.host(settings), collecting, self.intake.accept, self.instance)
        self.feeds.tables["processes"] = self.processes.rows
        self.bursts = Bursts(settings, self.target, time.time, self.isolated)
        self.identity: Identity | None = None
        """Who it is under TLS."""
        self.plain: list[socket.socket] = []
        """Where it leads from plain HTTP to there."""
        self.newest: tuple[Block, ...] = ()
        """Blocks of the newest scrape of this host, for /metrics."""
        self.time = 0
        """Of that scrape, ms."""
        self.scraped = asyncio.Event()
        self.rooms: Rooms | None = None
        """What a reload reaches, while it runs."""
        self.longest_tick = max(LATE * self.settings.collect.interval, EXCUSED)
        """Seconds that a tick may take to count as a sign of life."""

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self.reload.settings

    def invitation(self, url: str) -> str:
        """How somebody logs in for the first time, where there is no other way."""
        if self.access.users or self.access.nobody:
            return ""
        return invitation(self.access.folder, url, os.environ, time.time())

    def _audience(self) -> Audience:
        websocket = self.settings.server.websocket
        return Audience(
            self.feeds,
            {board.name: parts.queries(board) for board in self.settings.boards},
            parts.greeting(self.settings, self.instance, show(self.settings, Standing()).version),
            parts.session_limits(self.settings),
            parts.bounds(self.settings),
            Doors(websocket.max_clients, websocket.per_address),
            self.telemetry,
            self.awake,
            time.time,
            Sockets(),
            self.isolated,
        )

    def _workers(self) -> Workers:
        settings = parts.worker(self.settings, self.audience)
        compression = self.settings.server.websocket.compression
        return Workers(self.settings.server.workers - 1, settings, self.audience, self.feeds, compression)

    def _arrivals(self) -> Arrivals:
        return Arrivals(self.awake, parts.patience(self.settings), self.telemetry)

    def _collector(self) -> CollectLoop:
        return CollectLoop(
            parts.host(self.settings),
            parts.collectors(self.settings),
            self.accept,
            target=self.target,
            telemetry=self.telemetry,
            tell=self.kept.note,
            interval=self.settings.collect.interval,
            budget=parts.budget(self.settings),
        )

    def _target(self, job: str) -> Labels:
        return (("instance", self.instance), ("job", job))

    def accept(self, scrape: Scrape) -> None:
        """A pass over this host: stored with the service's own figures, which come first so that a tick
        finds both."""
        self.kept.tell(self.telemetry)
        if self.rooms:
            self.rooms.tell_history(self.settings, self.kept.paused)
        self.bursts.tell(self.telemetry)
        self.telemetry.samples_refused = self.intake.refused + self.head.refused
        own = (*self.telemetry.blocks(), REACHED)
        self.intake.accept(Scrape(scrape.timestamp, self._target("monitor"), own))
        self.processes.keep(scrape.timestamp)
        self.intake.accept(scrape._replace(blocks=(*scrape.blocks, REACHED)))

    def stored(self, scrape: Scrape) -> None:
        """A pass over this host begins a tick."""
        if scrape.target == self.target:
            self.newest, self.time = scrape.blocks[:-1], scrape.timestamp
            self.scraped.set()

    def prepare(self) -> list[socket.socket]:
        """What must be right before anything starts: the sockets to listen on.  Raises StartError."""
        make_state_folder(self.settings)
        try:
            self.access.open()
        except AccessError as error:
            raise StartError(str(error)) from error
        short = shortage(self.settings.server.websocket.max_clients, raise_limit())
        if short:
            raise StartError(short)
        judge_memory(self.settings)
        try:
            self.identity = parts.identity(self.settings, self.telemetry)
            return self._listen()
        except (TlsError, ListenError) as error:
            raise StartError(str(error)) from error

    def _listen(self) -> list[socket.socket]:
        address, plain = self.settings.server.listen, parts.redirect(self.settings)
        sockets, self.plain = taken_over(self.settings, self.handed_over)
        sockets = sockets or listen(address, "address with --listen HOST:PORT")
        try:
            if plain and not self.plain:
                self.plain = listen(plain, "server.tls.redirect")
        except ListenError:
            close(sockets)
            raise
        return sockets

    def _entrances(self, sockets: list[socket.socket]) -> list[Entrance]:
        """That of the service, and where there is TLS perhaps one that leads there."""
        held = self.settings, self.arrivals, self.telemetry
        make = self.identity.stream if self.identity else IOStream
        found = [entrance(self._application(), sockets, *held, make)]
        if self.plain:
            port, prefix = sockets[0].getsockname()[1], self.settings.server.prefix
            leading = redirecting(parts.guard(self.settings), self.telemetry, prefix, port)
            found.append(entrance(leading, self.plain, *held))
        return found

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Started on entry, with the URL of the page; stopped on exit.  Raises StartError."""
        sockets = self.prepare()
        try:
            self.kept.open()
        except StartError:
            close([*sockets, *self.plain])
            raise
        async with self.kept, asyncio.TaskGroup() as group:
            self.intake.storage, self.feeds.beyond.archive = self.kept.storage, self.kept.archive
            entrances = self._entrances(sockets)
            collector = self._collector()
            ways = [(each.application, each.server) for each in entrances]
            rooms = (self.access, collector, self.feeds, self.audience, self.workers)
            self.rooms = Rooms(self.instance, self.origin.fixed, ways, *rooms)
            self.reload.adopt = self.rooms.adopt
            work = [group.create_task(each) for each in (collector.run(), *self._work())]
            for each in entrances:
                each.gate.open(each.sockets)
            settle()
            folder = state_directory(self.settings, os.environ)
            running.write(folder, self.reload.standing.told, self.origin.fixed)
            self.manager.ready(self.settings.collect.interval)
            try:
                scheme = "https" if self.identity else "http"
                url = f"{scheme}://{name_of(sockets[0])}{self.settings.server.prefix}"
                tell_address(self.access.folder, url)
                yield url
            finally:
                self.manager.stopping(self.settings.server.websocket.close_timeout + FAREWELL + EXTRA)
                running.remove(folder)
                for each in entrances:
                    each.gate.close()
                await self._dismiss()
                for each in entrances:
                    await each.server.close_all_connections()
                for task in work:
                    task.cancel()
                await self.processes.close()
                self.access.save()
                self.telemetry.close()
                self.manager.close()

    def _work(self) -> tuple[Coroutine[None, None, None], ...]:
        return (
            self._tick(),
            every(lambda: self.awake.interval, self._sweep),
            self.workers.run(),
            self.reload.run(),
            every(lambda: LOOK, self.reload.look),
            self.bursts.run(),
        )

    def _application(self) -> Application:
        websocket = self.settings.server.websocket
        carried = {
            "taker": self.workers,
            "audience": self.audience,
            "compression": websocket.compression,
            "send_buffer": websocket.send_buffer,
        }
        return make_application(
            storage=self.head,
            archive=self.kept.archive,
            happened=self.kept.happened,
            keeper=self.bursts,
            here=Machine(parts.host(self.settings), self.instance).told,
            telemetry=self.telemetry,
            latest=lambda: self.newest,
            boards=parts.boards(self.settings),
            guard=parts.guard(self.settings),
            access=self.access,
            limits=self.limits,
            points=self.settings.server.query.points,
            live=[(r"/live", LiveHandler, carried), *events.rules(self.audience, websocket.send_buffer)],
            prefix=self.settings.server.prefix,
            audience=self.audience,
            everybody=self.workers,
            websocket_ping_interval=websocket.ping_interval,
            websocket_ping_timeout=websocket.ping_timeout,
            websocket_max_message_size=websocket.max_message,
        )

    async def _tick(self) -> None:
        """Bring everybody up to date after each pass over the host."""
        while await self.scraped.wait():
            self.scraped.clear()
            with self.isolated("a tick"):
                begun = time.perf_counter()
                await self.workers.tick(self.time)
                await self.audience.tick(self.time)
                took = time.perf_counter() - begun
                self.telemetry.tick_seconds.observe(took)
                self.manager.ticked(partial(self._status, took), took <= self.longest_tick)

    def _status(self, tick: float) -> str:
        """How it does, in a line for systemctl; `tick` in seconds."""
        viewers = len(self.audience) + self.workers.load
        return f"{self.head.series_count:,} series, {viewers:,} viewers, tick {tick * 1000:.1f} ms"

    def _sweep(self) -> None:
        self.audience.sweep()
        self.arrivals.sweep()
        self._expel()
        self.workers.sweep()
        if self.identity:
            self.identity.look()

    def _expel(self) -> None:
        """Whoever is here by a log-in or a token that has ended is not here any more."""
        ended = self.access.sweep(self.audience.members.keys | self.workers.keys)
        if ended:
            self.audience.expel(ended)
            self.workers.expel(ended)

    async def _dismiss(self) -> None:
        """Tell everybody that the service restarts, and cut those who do not close in time; who was let in
        has an answer first."""
        websocket = self.settings.server.websocket
        viewers = len(self.audience) + self.workers.load
        each = RETURN_TLS if self.identity else RETURN
        spread = parts.milliseconds(max(websocket.reconnect_spread, each * viewers))
        text = "The service restarts; this page comes back by itself."
        farewell = 1012, live.notice("restarting", text, retry_in=spread), "service restart"
        workers = asyncio.create_task(self.workers.stop(*farewell, websocket.close_timeout + FAREWELL))
        self.audience.dismiss(*farewell)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(websocket.close_timeout):
                await self.arrivals.answered()
                await self.audience.empty.wait()
        for session in tuple(self.audience.connections):
            self.audience.leave(session, "shutdown")
        await workers
