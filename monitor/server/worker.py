"""A process that serves viewers and nothing else: started by workers.py, whose process it ends with.

Its descriptor 0 is the relay; over descriptor 1 come connections that have been accepted.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from monitor import log
from monitor.access import Credential, Permissions
from monitor.bus import Isolation
from monitor.formats import relay
from monitor.formats.live import View
from monitor.server.counts import Counts
from monitor.server.handover import MOST, Handed, sender_of, unpacked
from monitor.server.live import LiveHandler
from monitor.server.relay import Relay
from monitor.server.wire import Sockets
from monitor.stream.audience import Audience, Greeting
from monitor.stream.doors import Doors
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Awake, Bounds
from monitor.stream.mirror import Mirrors
from monitor.stream.table import NEEDS, Rows
from monitor.stream.terms import Terms, adopt
from monitor.telemetry import Telemetry

TURN = 64
"""Connections taken before the event loop looks at the others again."""
EVERY = 1.0
"""Seconds between two times that it tells what it counted, which is its sign of life, too."""
ANY = 1 << 31
"""More viewers than there can be: the other end counts them, before it hands them over."""


def main() -> None:
    """Run in a process of its own."""
    # Both are for the other end to hear, which tells its workers what to do.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=0) as over, socket.socket(fileno=1) as connections:
        over.setblocking(False)
        connections.setblocking(False)
        asyncio.run(serve(over, connections))


async def serve(over: socket.socket, connections: socket.socket) -> None:
    """Serve until the other end says that it is enough, or is gone."""
    post = Post()
    line = Relay(post.put, post.end)
    await line.begin(over)
    hello = await post.first()
    if not isinstance(hello, relay.Hello):
        return
    worker = Worker(hello.settings, line, connections)
    gc.freeze()
    async with asyncio.TaskGroup() as group:
        work = [group.create_task(each) for each in (worker.sweep(), worker.tell())]
        asyncio.get_running_loop().add_reader(connections, worker.accept)
        await worker.follow(post)
        asyncio.get_running_loop().remove_reader(connections)
        for task in work:
            task.cancel()
    line.send(worker.counts.since())
    await line.finish()


def gathered_elsewhere(_may: Permissions, _view: View) -> Rows:
    """What a table holds is for the process to say that evaluates."""
    raise NotImplementedError


class Handler(LiveHandler):
    """Upgrades what the other end has judged."""

    def prepare(self) -> None:
        """Nothing to judge any more."""

    def get_current_user(self) -> Credential:
        assert isinstance(self.request.connection, Handed)
        return self.request.connection.credential

    def check_origin(self, _origin: str) -> bool:
        return True


class Post:
    """Messages in the order in which they came."""

    def __init__(self) -> None:
        self._messages: list[relay.Message] = []
        self._arrived = asyncio.Event()
        self._ended = False

    def put(self, message: relay.Message) -> None:
        self._messages.append(message)
        self._arrived.set()

    def end(self) -> None:
        self._ended = True
        self._arrived.set()

    async def first(self) -> relay.Message | None:
        """One message; None at the end."""
        await self._arrived.wait()
        return self._messages.pop(0) if self._messages else None

    async def all(self) -> list[relay.Message]:
        """Every message there is, at least one; none at the end."""
        while not self._messages and not self._ended:
            self._arrived.clear()
            await self._arrived.wait()
        messages, self._messages = self._messages, []
        return messages


class Worker:
    """The rooms of the process, made of what it was told first."""

    def __init__(self, settings: Mapping[str, Any], line: Relay, connections: socket.socket) -> None:
        log.set_up(**settings["log"])
        self.line = line
        self.connections = connections
        self.max_buffer = settings["max_buffer"]
        self.bounds = Bounds(**settings["bounds"])
        self.mirrors = Mirrors(settings["step"], line.send)
        self.mirrors.tables.update(dict.fromkeys(NEEDS, gathered_elsewhere))
        self.telemetry = Telemetry(settings["greeting"]["server"]["version"])
        self.counts = Counts(self.telemetry)
        self.awake = Awake(time.monotonic, self.bounds.sweep_interval)
        self.isolated = Isolation()
        self.audience = Audience(
            self.mirrors,
            settings["boards"],
            Greeting(**settings["greeting"]),
            SessionLimits(**settings["limits"]),
            self.bounds,
            Doors(ANY, ANY),
            self.telemetry,
            self.awake,
            time.time,
            Sockets(),
            self.isolated,
        )
        carried = {"audience": self.audience, **settings["carried"]}
        self.application = Application(
            [(r"/.*", Handler, carried)], log_function=unlogged, **settings["websocket"]
        )

    async def follow(self, post: Post) -> None:
        """Do as the messages say, in order.  What comes during a tick waits for its end."""
        while messages := await post.all():
            now = 0
            for message in messages:
                if isinstance(message, relay.Dismiss):
                    await self.dismiss(message)
                    return
                if isinstance(message, relay.Ticked):
                    now = message.time or now
                self.take(message)
            if now:
                with self.isolated("a tick"):
                    await self.audience.tick(now)

    def take(self, message: relay.Message) -> None:
        if isinstance(message, relay.Look):
            self.line.send(relay.Seen(*self.audience.viewers()[1:3]))
        elif isinstance(message, relay.Expel):
            self.audience.expel(message.keys)
        elif isinstance(message, relay.Cut):
            self.line.send(relay.CutAnswer(message.session, self.audience.cut(message.session)))
        elif isinstance(message, relay.Changed):
            self.change(message)
        else:
            self.mirrors.take(message)

    def change(self, message: relay.Changed) -> None:
        """Go on by other settings, and tell everybody."""
        settings = message.settings
        log.set_up(**settings["log"])
        self.bounds = Bounds(**settings["bounds"])
        self.application.settings.update(settings["websocket"])
        terms = Terms(
            settings["boards"],
            Greeting(**settings["greeting"]),
            SessionLimits(**settings["limits"]),
            self.bounds,
        )
        adopt(self.audience, terms, [notice.encode() for notice in message.notices])

    async def dismiss(self, message: relay.Dismiss) -> None:
        """Tell everybody, and cut those who do not close in time."""
        self.audience.dismiss(message.code, message.notice.encode(), message.reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.bounds.close_timeout):
                await self.audience.empty.wait()
        for session in tuple(self.audience.connections):
            self.audience.leave(session, "shutdown")

    async def sweep(self) -> None:
        while True:
            self.audience.sweep()
            await asyncio.sleep(self.awake.interval)

    async def tell(self) -> None:
        while True:
            self.line.send(self.counts.since())
            await asyncio.sleep(EVERY)

    def accept(self) -> None:
        """Take the connections that wait."""
        for _ in range(TURN):
            try:
                data, descriptors, _, _ = socket.recv_fds(self.connections, MOST, 1)
            except BlockingIOError:
                return
            if not data:  # The other end is gone, which the relay notices, too.
                asyncio.get_running_loop().remove_reader(self.connections)
                return
            self.upgrade(data, descriptors)

    def upgrade(self, data: bytes, descriptors: list[int]) -> None:
        """Answer a request, and serve the viewer."""
        left = relay.Left(*sender_of(data))
        if not descriptors:  # This process has as many as it may have (unix(7)).
            self.line.send(left)
            return
        request = unpacked(data, socket.socket(fileno=descriptors[0]), self.max_buffer)
        assert isinstance(request.connection, Handed)
        stream = request.connection.stream
        stream.set_close_callback(partial(self.line.send, left))
        with suppress(StreamClosedError):
            self.application(request)


def unlogged(_handler: RequestHandler) -> None:
    """The other end has counted the request."""
