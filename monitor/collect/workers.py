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
from pathlib import Path

MOST = 8
"""Workers of one pool, those that hang among them."""


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

    async def ask(self, line: bytes) -> bytes:
        """The answer to a line, both without newline.  Raises ConnectionError when the worker ended."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, line + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            piece = await loop.sock_recv(self._socket, 4096)
            if not piece:
                raise ConnectionError(f"worker {self.pid} ended before it answered")
            answer += piece
        return answer[:-1]

    def close(self) -> None:
        """End the worker, as far as it can be ended, and wait for nothing."""
        self._socket.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Pool:
    """Workers of one program.  One is enough until a call hangs."""

    def __init__(self, program: Path, most: int = MOST) -> None:
        self._program = program
        self._most = most
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._ended: list[int] = []

    async def ask(self, line: bytes) -> bytes:
        """The answer of a worker that is free, or of a new one.

        Raises BusyError when all hang, ConnectionError when the worker ended instead of answering.
        """
        worker = self._taken()
        answered = False
        try:
            answer = await worker.ask(line)
            answered = True
        finally:
            self._release(worker, answered)
        return answer

    def close(self) -> None:
        """End all workers."""
        for worker in [*self._idle, *self._busy]:
            self._end(worker)
        self._idle.clear()
        self._busy.clear()

    def _taken(self) -> Worker:
        self._reap()
        if not self._idle and len(self._busy) >= self._most:
            raise BusyError(f"all {self._most} workers hang")
        worker = self._idle.pop() if self._idle else Worker(self._program)
        self._busy.add(worker)
        return worker

    def _release(self, worker: Worker, answered: bool) -> None:
        if worker not in self._busy:
            return  # The pool was closed meanwhile.
        self._busy.remove(worker)
        if answered and not self._idle:
            self._idle.append(worker)
        else:
            self._end(worker)

    def _end(self, worker: Worker) -> None:
        worker.close()
        self._ended.append(worker.pid)
        self._reap()

    def _reap(self) -> None:
        """Take the exit codes of workers that ended; one that hangs in the kernel is asked again later."""
        self._ended = [pid for pid in self._ended if os.waitpid(pid, os.WNOHANG) == (0, 0)]
