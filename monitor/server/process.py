"""One worker, seen from the main process: started, told, and listened to until it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tornado.httputil import HTTPServerRequest

from monitor.access import Credential
from monitor.formats import relay
from monitor.server.counts import add
from monitor.server.handover import packed
from monitor.server.relay import Relay
from monitor.stream.audience import Audience
from monitor.stream.branch import Branch
from monitor.stream.feeds import Feeds

COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from monitor.server.worker import main; main()"
"""The worker finds the modules that this process finds, wherever it was started."""
ANSWER = 1.0
"""Seconds that it may take to answer a question of a person's."""
DYING = 2.0
"""Seconds that a killed process may take to be gone; one that hangs in the kernel is left behind."""


class Process:
    """`ready` once it has said something; `ended` when its relay is, `gone` when nothing of it is left."""

    def __init__(self, name: str, audience: Audience, feeds: Feeds) -> None:
        self.name = name
        self.audience = audience
        self.line = Relay(self._take, self._end)
        self.branch = Branch(feeds, self.line.send)
        self.inside: Counter[tuple[str, str]] = Counter()
        """Viewers that were handed over and have not left, by address and key of their credential."""
        self.heard_at = audience.awake()
        self.ready = False
        self.ended, self.gone = asyncio.Event(), asyncio.Event()
        self.seen = relay.Seen((), 0)
        """Who watched there when it was last asked."""
        self._asked: dict[str, asyncio.Future[relay.Message]] = {}
        """Whom an answer is for, by its kind and the session's name."""
        ours, theirs = socket.socketpair()
        self._connections, taken = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, taken:
            self.pid = _spawn(theirs, taken)
        for each in (ours, self._connections):
            each.setblocking(False)
        self._over = ours

    @property
    def load(self) -> int:
        return self.inside.total()

    async def run(self, hello: Callable[[], relay.Hello]) -> int:
        """Serve until it is gone; its exit status, negative for a signal, or 0 where it is not known."""
        try:
            await self.line.begin(self._over)
            self.line.send(hello())
            await self.ended.wait()
        finally:
            self.line.abort()
            self._connections.close()
            self.kill()
            self._forget()
        status = await self._reaped()
        self.gone.set()
        return status

    def hand_over(
        self, request: HTTPServerRequest, credential: Credential, connection: socket.socket
    ) -> bool:
        """Whether it has the connection now, beside us."""
        try:
            socket.send_fds(self._connections, [packed(request, credential)], [connection.fileno()])
        except OSError:  # Its queue is full, or it is gone.
            return False
        address = request.remote_ip or ""
        self.inside[address, credential.key] += 1
        self.audience.doors.enter(address)
        return True

    async def look(self) -> relay.Seen:
        """Who watches there now; as of late, where it does not answer in time."""
        await self._answer(relay.Look(), "")
        return self.seen

    async def cut(self, session: str) -> bool:
        """Close a session for good; whether there is one of this name."""
        answer = await self._answer(relay.Cut(session), session)
        return isinstance(answer, relay.CutAnswer) and answer.found

    async def _answer(self, question: relay.Message, key: str) -> relay.Message | None:
        """None where none came in time.  Those who ask the same at once get the same answer."""
        if key not in self._asked:
            self._asked[key] = asyncio.get_running_loop().create_future()
            self.line.send(question)
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER):
                return await asyncio.shield(self._asked[key])
        self._asked.pop(key, None)
        return None

    def _answered(self, key: str, answer: relay.Message) -> None:
        waiting = self._asked.pop(key, None)
        if waiting is not None:
            waiting.set_result(answer)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _take(self, message: relay.Message) -> None:
        self.ready, self.heard_at = True, self.audience.awake()
        if isinstance(message, relay.Counted):
            add(self.audience.telemetry, message, self.name)
        elif isinstance(message, relay.Left):
            self._leave(message.address, message.key)
        elif isinstance(message, relay.Seen):
            self.seen = message
            self._answered("", message)
        elif isinstance(message, relay.CutAnswer):
            self._answered(message.session, message)
        else:
            self.branch.take(message)

    def _leave(self, address: str, key: str) -> None:
        self.inside[address, key] -= 1
        if not self.inside[address, key]:
            del self.inside[address, key]
        self.audience.doors.leave(address)

    def _end(self) -> None:
        self.ready = False
        self.ended.set()

    def _forget(self) -> None:
        """Nothing of it is left: neither feeds nor viewers."""
        self.ready = False
        self.branch.end()
        if self.load:
            self.audience.telemetry.gone["worker-ended"] += self.load
        for address, key in tuple(self.inside.elements()):
            self._leave(address, key)
        self.audience.telemetry.workers.pop(self.name, None)

    async def _reaped(self) -> int:
        """Takes the exit status, so that no zombie stays."""
        for _ in range(round(DYING / 0.01)):
            pid, status = os.waitpid(self.pid, os.WNOHANG)  # noqa: ASYNC222 - it does not wait
            if pid:
                return os.waitstatus_to_exitcode(status)
            await asyncio.sleep(0.01)
        return 0


def _spawn(relay_end: socket.socket, connections: socket.socket) -> int:
    """Start the process with nothing of ours but these two and the log; its id.

    It is in a session of its own, so that Ctrl-C is ours to hear.
    """
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-c", COMMAND, *sys.path],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, relay_end.fileno(), 0),
            (os.POSIX_SPAWN_DUP2, connections.fileno(), 1),
        ],
        setsid=True,
    )
