"""Those who ask one question after the other over HTTP, each on a connection of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

ASKERS = 4
PAUSE = 0.02
"""Seconds between an answer and the next question."""


@dataclass
class Questions:
    answered: int = 0
    failed: int = 0
    """Those without the answer that there should be."""
    turned_away: int = 0
    """Those of them that found nobody listening."""
    slowest: float = 0.0
    """Seconds to an answer."""

    async def ask(self, host: str, port: int) -> None:
        """Ask without end."""
        while True:
            began = time.monotonic()
            answer = b""
            try:
                answer = await asked(host, port)
            except ConnectionRefusedError:
                self.turned_away += 1
            except OSError:
                pass  # Cut.
            if answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b'{"status": "alive"}'):
                self.answered += 1
            else:
                self.failed += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            await asyncio.sleep(PAUSE)


async def asked(host: str, port: int) -> bytes:
    """The whole answer.  Raises OSError where there is none."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return await reader.read()
    finally:
        writer.close()


@asynccontextmanager
async def steady(host: str, port: int) -> AsyncIterator[Questions]:
    """Questions all the while."""
    questions = Questions()
    tasks = [asyncio.create_task(questions.ask(host, port)) for _ in range(ASKERS)]
    try:
        yield questions
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
