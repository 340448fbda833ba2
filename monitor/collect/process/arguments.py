"""What programs were called with, for those who may see it: asked one by one of a process of its own.

Secrets have no place among arguments and are found there: what looks like one is shown as `***`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

from monitor.collect.process.process import Process, shown
from monitor.collect.workers import BusyError, Pool

PROGRAM = Path(__file__).with_name("cmdline.py")
LONGEST = 256
"""Characters that are shown."""
PATIENCE = 2.0
"""Seconds for an answer."""
REMEMBERED = 4096
WORD = (
    r"[\w.-]{0,64}(?:passw|passphrase|pwd|secret|token|credential|api-?_?key|private-?_?key|auth)[\w.-]{0,64}"
)
NAMED = re.compile(rf"(?i)(?<![\w./-])({WORD}[=:])(.+)$", re.DOTALL)
"""A secret behind its name, at the beginning of an argument or within it (`user=me,password=...`); no host
(`http://auth:80`)."""
ALONE = re.compile(rf"(?i)^-{{1,2}}{WORD}$")
"""The name of one that is the next argument."""
ADDRESS = re.compile(r"(\w://)[^/@\s]+@")
"""An address with somebody's name and password in it."""
HIDDEN = "***"

Identity = tuple[int, int]
"""Pid and start."""


class Arguments:
    """Asks for those that are wanted and not known; what is known is there at once."""

    def __init__(self, procfs: str, pool: Pool | None = None) -> None:
        self._procfs = procfs
        self._pool = pool or Pool(PROGRAM)
        self._known: dict[Identity, tuple[str, str | None]] = {}
        """The program's name as it was, and what it was called with; None where that is not to be had."""
        self._wanted: dict[Identity, Process] = {}
        self._task: asyncio.Task[None] | None = None

    def of(self, process: Process) -> str | None:
        """What it was called with, as far as that is known."""
        name, text = self._known.get((process.pid, process.started), ("", None))
        return text if name == process.comm else None

    def want(self, processes: Iterable[Process]) -> None:
        """Have those found out that are not known yet."""
        for process in processes:
            identity = process.pid, process.started
            known = self._known.get(identity)
            if not process.kernel and (known is None or known[0] != process.comm):
                self._wanted[identity] = process
        if self._wanted and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._ask())

    async def close(self) -> None:
        """Give up what is asked, and end the processes that were."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._pool.close()

    async def _ask(self) -> None:
        while self._wanted:
            identity, process = self._wanted.popitem()
            name, text = process.comm, await self._asked(process.pid)
            if len(self._known) >= REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[identity] = name, text

    async def _asked(self, pid: int) -> str | None:
        """One that does not answer is not asked again; its worker is left behind."""
        path = f"{self._procfs}/{pid}/cmdline".encode()
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._pool.ask(path.hex().encode())
        except (TimeoutError, BusyError, ConnectionError):
            return None
        return None if answer == b"-" else told(bytes.fromhex(answer.decode()))


def told(cmdline: bytes) -> str:
    """The arguments after the name of the program, as text without what looks like a secret."""
    parts = [shown(part) for part in cmdline.rstrip(b"\0").split(b"\0")]
    hidden = [
        HIDDEN if ALONE.match(before) else NAMED.sub(rf"\1{HIDDEN}", ADDRESS.sub(rf"\1{HIDDEN}@", part))
        for before, part in zip(["", *parts], parts, strict=False)
    ]
    text = " ".join(hidden)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
