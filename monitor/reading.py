"""The configuration, read by a process of its own.

A long file takes a second, in which the event loop would miss ticks; one on a dead network mount never
answers, and a thread that waited for it could not be ended.  The process is asked by JSON on its descriptor
0, answers on descriptor 1, and ends.  What it answers with has been checked, queries and all.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from monitor import config, queries
from monitor.config.check import check
from monitor.config.draft import Draft
from monitor.config.load import drafted
from monitor.config.reader import Document

COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from monitor.reading import main; main()"
PATIENCE = 30.0
"""Seconds after which the files are given up."""
ENDING = 0.0, 0.01, 0.05, 0.2, 0.5
"""Seconds between looks at whether it has ended, before it is killed."""


class Read(NamedTuple):
    """What the files, the environment and the flags say."""

    settings: config.Settings
    files: Sequence[Path]
    """Read, the config file first."""


class Reader:
    """Reads again whenever asked.  While a process hangs in the kernel, no other is started."""

    def __init__(self, origin: config.Origin, patience: float = PATIENCE) -> None:
        self.origin = origin
        self.patience = patience
        self._hanging: int | None = None

    async def read(self) -> Read:
        """Raises ConfigError, also where the files cannot be read in time."""
        if self._hangs():
            raise self._unreadable(f"is still being read by process {self._hanging}, expected an answer")
        try:
            answer = await self._asked()
        except TimeoutError:
            text = f"cannot be read within {self.patience:g} s, expected a disk that answers"
            raise self._unreadable(text) from None
        except OSError as error:
            text = f"cannot be read: no process can be started for it ({error.strerror}), expected one more"
            raise self._unreadable(text) from error
        try:
            told = json.loads(answer)
        except ValueError:
            text = "could not be read: the process for it ended before it had answered; the log says why"
            raise self._unreadable(text) from None
        if told["problems"]:
            raise config.ConfigError(_problem(*each) for each in told["problems"])
        # Made of plain data, as only that comes from another process.
        settings = check(Draft(Document(told["data"], {}, [], set()), Path()))
        return Read(settings, tuple(map(Path, told["files"])))

    async def _asked(self) -> bytes:
        """The answer, empty where there is none.  Raises TimeoutError."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._hanging = _spawn(theirs)
            except OSError:
                ours.close()
                raise
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            async with asyncio.timeout(self.patience):
                path = None if self.origin.path is None else str(self.origin.path)
                writer.write(json.dumps({"path": path, "flags": dict(self.origin.flags)}).encode())
                writer.write_eof()
                with suppress(ConnectionError):
                    return await reader.read()
                return b""
        finally:
            writer.transport.abort()
            await self._end()

    async def _end(self) -> None:
        """Take the exit status, so that no zombie stays; one that hangs in the kernel is left behind."""
        for pause in ENDING:
            await asyncio.sleep(pause)
            if not self._hangs():
                return
        assert self._hanging is not None
        os.kill(self._hanging, signal.SIGKILL)
        await asyncio.sleep(ENDING[-1])
        self._hangs()

    def _hangs(self) -> bool:
        """Whether the process is there, which has no more to say."""
        if self._hanging is not None and os.waitpid(self._hanging, os.WNOHANG)[0]:
            self._hanging = None
        return self._hanging is not None

    def _unreadable(self, text: str) -> config.ConfigError:
        return config.ConfigError([config.Problem(config.Place(str(self.origin.path)), "", text)])


def main() -> None:
    """The process: one question, one answer."""
    question = json.loads(sys.stdin.buffer.read())
    path = None if question["path"] is None else Path(question["path"])
    answer: dict[str, Any] = {"problems": [], "data": {}, "files": []}
    try:
        draft = drafted(path, os.environ, question["flags"])
        check(draft, queries.judge)
    except config.ConfigError as error:
        answer["problems"] = error.problems
    else:
        answer |= {"data": draft.data, "files": [str(file) for file in (path, *draft.files) if file]}
    sys.stdout.write(json.dumps(answer))


def _spawn(end: socket.socket) -> int:
    """Start the process; its id.  It is in a session of its own, so that Ctrl-C is ours to hear."""
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-c", COMMAND, *sys.path],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, end.fileno(), 0), (os.POSIX_SPAWN_DUP2, end.fileno(), 1)],
        setsid=True,
    )


def _problem(place: list[Any], path: str, text: str) -> config.Problem:
    return config.Problem(config.Place(*place), path, text)
