"""More cores: processes that serve viewers beside this one, each over a relay and a socket for connections.

Every feed is evaluated and encoded here, once, and sent once to each worker whose viewers follow it.  A new
viewer goes where the fewest are.  A worker that ends, or says nothing for long, is replaced within a second;
its viewers lose their connection, come back, and go on where they were.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tornado.httputil import HTTPServerRequest

from monitor.access import Credential
from monitor.formats import relay
from monitor.server.process import Process
from monitor.stream.audience import Audience
from monitor.stream.feeds import Feeds
from monitor.stream.table import Rows
from monitor.stream.viewers import MOST

log = logging.getLogger(__name__)

TABLE = "viewers"
SILENT = 5.0
"""Seconds without a word after which a worker is ended; it says something every second."""
STARTING = 30.0
"""Seconds that a new one may take to say its first."""
BACKLOG = 64 << 20
"""Bytes that may wait for a worker before it is ended."""
STEADY = 10.0
"""Seconds that a worker must last for its successor to start at once."""
FIRST, LONGEST = 0.25, 30.0
"""Seconds before the start of one whose predecessors did not last: twice as long each time."""


class Workers:
    """None of them, or some: then each is kept running until `stop`."""

    def __init__(
        self,
        count: int,
        settings: Mapping[str, Any],
        audience: Audience,
        feeds: Feeds,
        compression: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`settings` are what a worker makes its rooms of (worker.py), as plain data."""
        self.names = [str(number) for number in range(1, count + 1)]
        self.hello = relay.Hello(settings)
        self.audience = audience
        self.feeds = feeds
        self.compression = compression
        self.clock = clock
        self.running: dict[str, Process] = {}
        self._stopping = False
        if count:
            feeds.tables[TABLE] = lambda _may, _view: self._newest()

    @property
    def load(self) -> int:
        """Viewers served by workers."""
        return sum(process.load for process in self.running.values())

    async def run(self) -> None:
        """Keep every worker running, until stopped or cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self.names:
                group.create_task(self._keep(name))

    def hand_over(
        self, request: HTTPServerRequest, credential: Credential, connection: socket.socket
    ) -> bool:
        """Give a connection to the worker with the fewest viewers, unless this process has fewer still."""
        ready = self._ready()
        if not ready or self._stopping:
            return False
        idlest = min(ready, key=lambda process: process.load)
        if idlest.load > len(self.audience) or not idlest.hand_over(request, credential, connection):
            return False
        offered = request.headers.get("Sec-WebSocket-Extensions", "")
        if self.compression and "permessage-deflate" in offered:
            idlest.branch.deflate = True
        return True

    async def viewers(self) -> Rows:
        """Everybody, of every process."""
        await asyncio.gather(*(process.look() for process in self._ready()))
        return self._newest()

    async def cut(self, session: str) -> bool:
        """Close a session for good, wherever it is served; whether there is one of this name."""
        if self.audience.cut(session):
            return True
        return any(await asyncio.gather(*(process.cut(session) for process in self._ready())))

    @property
    def keys(self) -> set[str]:
        """Of the credentials that viewers of workers rest on."""
        return {key for process in self.running.values() for _, key in process.inside}

    def expel(self, keys: Collection[str]) -> None:
        """Close every session of a worker that rests on one of these credentials, which have ended."""
        for process in self._ready():
            process.line.send(relay.Expel([*keys]))

    def _ready(self) -> list[Process]:
        return [process for process in self.running.values() if process.ready]

    def _newest(self) -> Rows:
        """Everybody, those of the workers as they were when they were last asked."""
        columns, rows, total, _ = self.audience.viewers()
        seen = [process.seen for process in self._ready()]
        everybody = [*rows, *(row for each in seen for row in each.rows)]
        return Rows(columns, everybody[:MOST], total + sum(each.total for each in seen))

    async def tick(self, now: int) -> None:
        """Evaluate every feed and tell the workers, so that they begin together with this process."""
        for _ in self.feeds.turns(now) if self.running else ():
            await asyncio.sleep(0)
        watched = self.feeds.followed(TABLE)
        for process in self._ready():
            process.branch.tick(now)
            if watched:
                process.line.send(relay.Look())

    def sweep(self) -> None:
        """End the workers that do not listen or do not speak, which leads to their successors."""
        now = self.audience.awake()
        for process in self.running.values():
            patience = SILENT if process.ready else STARTING
            if now - process.heard_at > patience or process.line.waiting > BACKLOG:
                process.kill()

    def change(self, settings: Mapping[str, Any], notices: Sequence[bytes]) -> None:
        """Have the rooms of the workers be as these settings say, and everybody there told."""
        self.hello = relay.Hello(settings)
        for process in self.running.values():
            process.line.send(relay.Changed(settings, [notice.decode() for notice in notices]))

    async def stop(self, code: int, notice: bytes, reason: str, seconds: float) -> None:
        """Have everybody told, and end the workers; those that take longer, in seconds, are killed."""
        self._stopping = True
        processes = tuple(self.running.values())
        for process in processes:
            process.line.send(relay.Dismiss(code, reason, notice.decode()))
        late = asyncio.get_running_loop().call_later(seconds, self._kill)
        for process in processes:
            await process.gone.wait()
        late.cancel()

    def _kill(self) -> None:
        for process in self.running.values():
            process.kill()

    async def _keep(self, name: str) -> None:
        pause = 0.0
        while True:
            began = self.clock()
            status = await self._serve(name)
            if self._stopping:
                return
            if self.clock() - began >= STEADY:
                pause = 0.0
            self._say(name, status, pause)
            await asyncio.sleep(pause)
            pause = min(LONGEST, max(FIRST, 2 * pause))

    async def _serve(self, name: str) -> int:
        try:
            process = Process(name, self.audience, self.feeds)
        except OSError as error:
            return error.errno or 1
        self.running[name] = process
        try:
            return await process.run(lambda: self.hello)
        finally:
            del self.running[name]

    def _say(self, name: str, status: int, pause: float) -> None:
        """The first end and the first pause are news; what follows is more of the same."""
        self.audience.telemetry.workers_ended += 1
        if not pause:
            log.warning("worker %s ended with status %d; its viewers come back by themselves", name, status)
        elif pause == FIRST:
            log.error("worker %s keeps ending (status %d); it is started ever less often", name, status)
