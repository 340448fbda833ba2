"""Stands for Docker on a socket in a folder: answers, is silent, or says something strange."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SOCKET = "/run/docker.sock"
ANSWERS = {
    "good": b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n%s",
    "refuses": b"HTTP/1.0 500 Internal Server Error\r\n\r\n%s",
    "strange": b"HTTP/1.0 200 OK\r\n\r\n{}%.0s",
    "odd": b'HTTP/1.0 200 OK\r\n\r\n[{"Id": "x", "Names": {"a": 1}}]%.0s',
    "deep": b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000 + b"%.0s",
    "broken": b"HTTP/1.0 200 OK\r\n\r\n[{%.0s",
}


class Docker:
    """Containers by id, with name and image; `asked` counts the questions."""

    def __init__(self, containers: dict[str, tuple[str, str]], manner: str = "good") -> None:
        self.containers = containers
        self.manner = manner
        self.asked = 0
        self.paths: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        self.paths.append((await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1])
        if self.manner == "silent":
            await reader.read()
        else:
            listed = [
                {"Id": each, "Names": [f"/{name}"], "Image": image}
                for each, (name, image) in self.containers.items()
            ]
            writer.write(ANSWERS[self.manner] % json.dumps(listed).encode())
        writer.close()


@asynccontextmanager
async def docker(folder: Path, engine: Docker) -> AsyncIterator[Path]:
    """The engine on its socket, for a host whose root is a folder."""
    path = Path(f"{folder}{SOCKET}")
    path.parent.mkdir(parents=True, exist_ok=True)
    server = await asyncio.start_unix_server(engine.answer, path)
    try:
        yield path
    finally:
        server.close()
