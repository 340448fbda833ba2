"""The configuration, read again by a process of its own (monitor/checking.py).

A long file takes a second, in which the event loop would miss ticks; one on a dead network mount never
answers, and a thread that waited for it could not be ended.  The process is asked on its descriptor 0,
answers on descriptor 1, and ends; both are pickles.  What it answers with has been checked, queries and all.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import sys
from contextlib import suppress

from monitor import config
from monitor.checking import taken
from monitor.config.read import Question, Read

COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from monitor.checking import main; main()"
PATIENCE = 30.0
"""Seconds after which the files are given up."""
ENDING = 0.0, 0.01, 0.05, 0.2, 0.5
"""Seconds between looks at whether it has ended, before it is killed."""


class Reader:
    """Reads again whenever asked.  While a process hangs in the kernel, no other is started."""

    def __init__(self, origin: config.Origin, patience: float = PATIENCE) -> None:
        self.origin = origin
        self.patience = patience
        self._hanging: int | None = None

    async def read(self, held: config.Settings) -> Read:
        """What the files say, beside the settings in force.

        Raises ConfigError, also where the files cannot be read in time.
        """
        question = Question(self.origin.path, dict(self.origin.flags), held)
        if self._hangs():
            raise self._unreadable(f"is still being read by process {self._hanging}, expected an answer")
        try:
            answer = await self._asked(question)
        except TimeoutError:
            text = f"cannot be read within {self.patience:g} s, expected a disk that answers"
            raise self._unreadable(text) from None
        except OSError as error:
            text = f"cannot be read: no process can be started for it ({error.strerror}), expected one more"
            raise self._unreadable(text) from error
        return taken(answer, question)

    async def _asked(self, question: Question) -> bytes:
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
                writer.write(pickle.dumps(question))
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


def _spawn(end: socket.socket) -> int:
    """Start the process; its id.  It is in a session of its own, so that Ctrl-C is ours to hear."""
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-c", COMMAND, *sys.path],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, end.fileno(), 0), (os.POSIX_SPAWN_DUP2, end.fileno(), 1)],
        setsid=True,
    )
