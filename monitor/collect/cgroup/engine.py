"""What containers are called, asked of Docker or Podman by their API over a UNIX socket.

One question, `GET /containers/json` (Docker Engine API, ContainerList), in HTTP/1.0: the answer is then in
one piece and ends with the connection.  Sockets that accept and never answer are given up.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection, Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

SOCKETS = (Path("/run/docker.sock"), Path("/run/podman/podman.sock"))
TIMEOUT = 2.0
AGAIN = 60.0
"""Seconds after which a name is asked for again: it may have been changed, or not been known."""
MOST = 16 << 20
"""Bytes of an answer."""
QUESTION = b"GET /containers/json HTTP/1.0\r\nHost: localhost\r\n\r\n"


class Names(NamedTuple):
    name: str
    image: str = ""


class Engine:
    """Asks now and then; who waits for an answer waits for a socket that has always answered."""

    def __init__(
        self,
        sockets: Sequence[str] = (),
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.known: dict[str, Names] = {}
        """By id."""
        self.answers: dict[str, bool] = {}
        """By socket that is there: whether it answered last."""
        self._sockets = sockets
        self._timeout = timeout
        self._clock = clock
        self._wanted: frozenset[str] = frozenset()
        self._asked = -inf
        self._task: asyncio.Task[None] | None = None

    def want(self, ids: Collection[str]) -> None:
        """Have the names of these, and forget others: asks where one is new, or a minute has gone by."""
        new = frozenset(ids)
        due = self._clock() >= self._asked + AGAIN
        if new and (due or new - self._wanted) and not self.asking:
            self._asked, self._wanted = self._clock(), new
            self._task = asyncio.create_task(self._ask(new))
        self.known = {name: held for name, held in self.known.items() if name in new}

    @property
    def asking(self) -> bool:
        """Whether a question is open."""
        return bool(self._task and not self._task.done())

    async def settled(self) -> None:
        """When an open question to sockets that answered so far is answered, or given up: so that a container
        is called what it is called from the beginning."""
        if self._task and self.asking and all(self.answers.values()):
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Give up an open question."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _ask(self, wanted: frozenset[str]) -> None:
        found: dict[str, Names] = {}
        for socket in self._sockets:
            try:
                async with asyncio.timeout(self._timeout):
                    found |= await listed(socket)
            except FileNotFoundError:
                self.answers.pop(socket, None)
            except (OSError, ValueError, RecursionError) as error:
                self._note(socket, error)
            else:
                self._note(socket, None)
        self.known |= {name: held for name, held in found.items() if name in wanted}

    def _note(self, socket: str, error: Exception | None) -> None:
        """Log what does not answer, once for each change; a socket that is not for us is no fault."""
        before = self.answers.get(socket)
        self.answers[socket] = error is None
        if error is None or before is False:
            return
        level = logging.INFO if isinstance(error, PermissionError) else logging.WARNING
        why = str(error) or f"no answer in {self._timeout:g} s"
        log.log(level, "names of containers: %s: %s", socket, why)


async def listed(socket: str) -> dict[str, Names]:
    """The containers that an engine runs, by id.  Raises OSError, ValueError and RecursionError."""
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(QUESTION)
        answer = bytearray()
        while piece := await reader.read(1 << 16):
            answer += piece
            if len(answer) > MOST:
                raise ValueError(f"at most {MOST} bytes expected of the list of containers")
    finally:
        writer.close()
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].decode(errors="replace")
    if status.split(" ")[1:2] != ["200"]:
        raise ValueError(f"the status 200 expected of the list of containers, found {status[:80]!r}")
    return named(json.loads(body))


def named(containers: object) -> dict[str, Names]:
    """Names and images by id.  Raises ValueError for what is no list of containers."""
    if not isinstance(containers, list):
        raise ValueError("a list of containers expected")
    found = {}
    for each in containers:
        if not isinstance(each, dict) or not isinstance(each.get("Id"), str):
            raise ValueError("a container with an Id expected")
        names = each.get("Names") or [each["Id"]]
        if not isinstance(names, list):
            raise ValueError("a container with a list of Names expected")
        found[each["Id"]] = Names(str(names[0]).lstrip("/"), str(each.get("Image") or ""))
    return found
