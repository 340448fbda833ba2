"""Processes that ask the kernel what may never be answered.

A call that hangs in the kernel makes its process unkillable, and with it every descriptor that it holds.
So such calls are made by a small program that holds nothing but a socket to us, in a session of its own;
one that hangs is left behind and another is started (never a thread, never a fork without exec).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

MOST = 16
"""Workers of one pool, those that hang among them."""
PATIENCE = 0.25
"""Seconds after which the next question is put beside one that is not answered yet."""
PIECE = 1 << 16
"""Bytes received at once."""


class BusyError(OSError):
    """Every worker of the pool hangs."""


class Worker:
    """One process, asked one line at a time."""

    def __init__(self, program: Path) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", str(program)],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=True,
            )
        ours.setblocking(False)
        self._socket = ours
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(ours, self._readable)
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] = self._loop.create_future()

    def ask(self, line: bytes) -> asyncio.Future[bytes]:
        """The answer to a line, both without newline; ConnectionError when the worker ended instead."""
        self._answer = self._loop.create_future()
        try:
            self._socket.send(line + b"\n")
        except ConnectionError as error:
            self._answer.set_exception(error)
        return self._answer

    def close(self) -> None:
        """End the worker, as far as it can be ended, and wait for nothing."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._answer.cancel()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _readable(self) -> None:
        try:
            piece = self._socket.recv(PIECE)
        except ConnectionError:
            piece = b""
        self._received += piece
        if not piece:
            self._loop.remove_reader(self._socket)
            if not self._answer.done():
                self._answer.set_exception(ConnectionError(f"worker {self.pid} ended before it answered"))
        elif self._received.endswith(b"\n"):
            answer = bytes(self._received[:-1])
            self._received.clear()
            if not self._answer.done():
                self._answer.set_result(answer)


class Pool:
    """Workers of one program.  One is enough until a call hangs."""

    ended: ClassVar[list[int]] = []
    """Those of all pools whose exit code was not there yet: a pool may be gone before it is."""

    def __init__(self, program: Path, most: int = MOST) -> None:
        self._program = program
        self._most = most
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()

    def ask(self, line: bytes) -> asyncio.Future[bytes]:
        """The answer of a worker that is free, or of a new one (see Worker.ask).

        Raises BusyError when all hang.
        """
        if not self._idle and len(self._busy) >= self._most:
            raise BusyError(f"all {self._most} workers hang")
        worker = self._idle.pop() if self._idle else self._begun()
        self._busy.add(worker)
        answer = worker.ask(line)
        answer.add_done_callback(partial(self._release, worker))
        return answer

    def close(self) -> None:
        """End all workers, and what they were asked."""
        for worker in [*self._idle, *self._busy]:
            self._end(worker)
        self._idle.clear()
        self._busy.clear()

    def _begun(self) -> Worker:
        self.reap()
        return Worker(self._program)

    def _release(self, worker: Worker, answer: asyncio.Future[bytes]) -> None:
        if worker not in self._busy:
            return  # The pool was closed meanwhile.
        self._busy.remove(worker)
        if self._idle or answer.cancelled() or answer.exception():
            self._end(worker)
        else:
            self._idle.append(worker)

    def _end(self, worker: Worker) -> None:
        worker.close()
        self.ended.append(worker.pid)
        self.reap()

    def reap(self) -> None:
        """Take the exit codes that are there.  One that was just killed may have none yet, and one that hangs
        in the kernel has none: they are looked at again when the next one begins or ends."""
        self.ended[:] = [pid for pid in self.ended if remains(pid)]


def remains(pid: int) -> bool:
    """Whether a process of ours has no exit code yet; where it has, that is taken, and no zombie stays."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False  # Somebody else took it.


class Turns:
    """Questions to a pool from many: one at a time, so that one worker serves them all."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Lock()
        self._asked: dict[bytes, asyncio.Future[bytes]] = {}

    async def ask(self, line: bytes) -> bytes:
        """The answer to a line; raises as Pool.ask and Worker.ask do.

        A question that is still open is not put again, but waited for: what hangs in the kernel hangs once.
        """
        async with self._turn:
            answer = self._asked.get(line)
            if answer is None:
                answer = self._asked[line] = self._pool.ask(line)
                answer.add_done_callback(lambda _: self._asked.pop(line, None))
                await asyncio.wait([answer], timeout=PATIENCE)
        return await asyncio.shield(answer)

    def close(self) -> None:
        """End the workers, and what they were asked; a later question starts anew, in any event loop."""
        self._pool.close()
        self._turn = asyncio.Lock()
