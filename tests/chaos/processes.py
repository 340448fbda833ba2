"""The processes of a run: the service, and those that are told what to do by lines of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

from tests.kept import handed
from tests.network import Network
from tests.surroundings import slowness

ROOT = Path(__file__).resolve().parents[2]
PORT = 8844
PATIENCE = 120
"""Seconds for a process to start or to end."""
LONGEST_LINE = 1 << 27
"""Bytes of an answer."""


class Service:
    """`monitor serve`, which can be ended in several ways and started again.

    With a `kept` socket it is handed that one each time, as by systemd, in place of making its own.
    """

    def __init__(
        self, folder: Path, host: str, settings: Mapping[str, str], kept: socket.socket | None = None
    ) -> None:
        self.host = host
        self.kept = kept
        self.log = folder / "service.log"
        self.settings = {
            "server.listen": f"{host}:{PORT}",
            "access.anonymous": "operator",
            "storage.path": str(folder / "state"),
            **settings,
        }
        self.process: Process | None = None
        self.starts = 0

    async def start(self) -> None:
        """Returns when it listens."""
        flags = [text for name, value in self.settings.items() for text in ("--set", f"{name}={value}")]
        serve = [sys.executable, "-m", "monitor", "serve", *flags]
        command, kept = (handed(self.kept, serve), [self.kept.fileno()]) if self.kept else (serve, [])
        with self.log.open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, stdout=PIPE, stderr=log, pass_fds=kept
            )
        self.starts += 1
        assert self.process.stdout is not None
        said = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        assert said, f"the service did not start:\n{self.log.read_text()}"

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.send(number)
            await asyncio.wait_for(self.process.wait(), PATIENCE)
            assert number == signal.SIGKILL or not self.process.returncode, self.log.read_text()

    def complaints(self) -> list[str]:
        """Lines of its log that no run may bring about; a collector may be slow where the machine is busy."""
        signs = "WARNING", "ERROR", "Traceback", "Error:"
        lines = [line for line in self.log.read_text().splitlines() if any(sign in line for sign in signs)]
        return [line for line in lines if not slowness(line)]


@asynccontextmanager
async def running(
    folder: Path, host: str, settings: Mapping[str, str], kept: socket.socket | None = None
) -> AsyncIterator[Service]:
    service = Service(folder, host, settings, kept)
    try:
        await service.start()
        yield service
    finally:
        with suppress(ProcessLookupError):
            await service.end(signal.SIGKILL)


class Told:
    """A process in the namespace that reads commands and answers some of them."""

    def __init__(self, process: Process) -> None:
        self.process = process

    @classmethod
    async def begin(cls, network: Network, module: str, *arguments: str) -> Self:
        command = network.inside(sys.executable, "-m", module, *arguments)
        return cls(
            await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=os.environ, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
            )
        )

    def tell(self, command: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")

    async def answer(self) -> Any:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "a process of viewers ended"
        return json.loads(line)

    async def ask(self, command: Mapping[str, Any]) -> Any:
        self.tell(command)
        return await self.answer()

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
