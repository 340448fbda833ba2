"""A service under a fault: started by any command, asked for its metrics, and what it costs."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from tests.chaos.line import Place
from tests.chaos.viewer import Viewer
from tests.faults.figures import figures, held
from tests.service import SERVE, Service

HOST = "127.0.0.1"
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 60
"""Seconds for an answer, or for a column to come."""


class Serving(Service):
    """`tests.service.Service` for campaigns, which judge its log themselves."""

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def place(self) -> Place:
        return Place(HOST, HOST, self.port, HOST, deflate=True)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def descriptors(self) -> Counter[str]:
        """What it has open (see `held`)."""
        return held(self.pid)

    def files(self) -> int:
        """How many descriptors it has open, whatever they are."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def cpu(self) -> float:
        """Seconds of user and system time (proc(5), /proc/pid/stat)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    async def get(self, path: str) -> HTTPResponse:
        return await AsyncHTTPClient().fetch(f"{self.url}{path}", request_timeout=PATIENCE)

    async def metrics(self) -> dict[str, float]:
        """Value by name and labels."""
        return figures((await self.get("metrics")).body)

    def log_lines(self, *signs: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if any(sign in line for sign in signs)]


@asynccontextmanager
async def serving(folder: Path, command: Sequence[str] = SERVE, **settings: str) -> AsyncIterator[Serving]:
    """Started; at the end it must stop when it is told to."""
    service = Serving(folder, command, **settings)
    await asyncio.to_thread(service.start)
    try:
        yield service
    finally:
        await asyncio.to_thread(service.stop)


@asynccontextmanager
async def viewers(service: Serving, count: int) -> AsyncIterator[list[Viewer]]:
    """So many, each of which has had a column."""
    watching = [Viewer(service.place, seed) for seed in range(count)]
    tasks = [asyncio.create_task(viewer.run()) for viewer in watching]
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(viewer.reach(1) for viewer in watching))
        yield watching
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def harmed(watching: Sequence[Viewer]) -> list[str]:
    """In words: who was closed, lost its connection, or was not sent everything."""
    return [
        f"viewer {number}: {viewer.connections} connections, {viewer.lost} lost, {viewer.book.faults[:3]}"
        for number, viewer in enumerate(watching)
        if viewer.connections != 1 or viewer.lost or viewer.book.faults
    ]
