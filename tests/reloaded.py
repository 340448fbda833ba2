"""A running service with a file that it reloads, and a viewer of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor import checking, queries
from monitor.app import Service
from monitor.config import Origin, Settings, load
from monitor.config.read import Question, Read

Plain = dict[str, Any]
BOARD: Plain = {
    "name": "load",
    "title": "Load",
    "panels": [{"title": "1m", "queries": [{"query": "node_load1"}]}],
}


class Run(NamedTuple):
    """A running service and its file."""

    service: Service
    url: str
    path: Path
    always: Plain

    def write(self, **wanted: Any) -> None:
        """Keys are key paths with `__` for a dot."""
        whole: Plain = {**self.always}
        for key, value in wanted.items():
            *groups, name = key.split("__")
            held = whole
            for group in groups:
                held[group] = {**held.get(group, {})}
                held = held[group]
            held[name] = value
        self.path.write_text(yaml.safe_dump(whole))
        self.path.chmod(0o600)  # Some of it is secret.

    async def take(self, **wanted: Any) -> None:
        self.write(**wanted)
        assert await self.service.reload.now()

    async def refuse(self, **wanted: Any) -> None:
        self.write(**wanted)
        assert not await self.service.reload.now()

    async def get(self, path: str, **headers: str) -> Any:
        return json.loads((await self.answer(path, **headers)).body)

    async def answer(self, path: str, **headers: str) -> Any:
        return await AsyncHTTPClient().fetch(HTTPRequest(self.url + path, headers=headers), raise_error=False)


@asynccontextmanager
async def running(folder: Path, really: bool = False, **settings: Any) -> AsyncIterator[Run]:
    """`really`: the file is read by a process of its own, which takes a second or two."""
    path = folder / "config.yaml"
    always: Plain = {
        "boards": ["overview"],  # What another process finds is not for the tests to say.
        "server": {"listen": "127.0.0.1:0"},
        "storage": {"path": str(folder / "state")},
        "collect": {"interval": "100ms"},
        "access": {"anonymous": "operator"},
    }
    run = Run(None, "", path, always)  # type: ignore[arg-type]
    run.write(**settings)
    loaded = load(path, {}, {})
    service = Service(loaded.settings, origin=Origin(path, {}, loaded.files))

    async def read(held: Settings) -> Read:
        return checking.compared(Question(path, {}, held), load(path, {}, {}, queries.judge))

    if not really:
        service.reload._read = read
    async with service.running() as url:
        yield Run(service, url, path, always)


class Client:
    """A viewer that keeps what it was sent."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection
        self.welcome: Plain = {}
        self.passed: list[Plain] = []
        """What it did not wait for."""

    @classmethod
    async def come(cls, run: Run) -> Client:
        found = cls(await websocket_connect(run.url.replace("http", "ws") + "live"))
        found.welcome = await found.heard("welcome")
        return found

    async def heard(self, type_: str, **fields: object) -> Plain:
        while True:
            text = await self.connection.read_message()
            assert text is not None, "the viewer was cut"
            message: Plain = json.loads(text)
            if message["type"] == type_ and all(message.get(name) == each for name, each in fields.items()):
                return message
            self.passed.append(message)

    async def go(self) -> None:
        """Leave, and wait for the answer."""
        self.connection.close()
        while await self.connection.read_message() is not None:
            pass

    async def ask(self, **fields: object) -> Plain:
        """The answer to a subscription."""
        await self.connection.write_message(json.dumps({"type": "subscribe", "request": 1, **fields}))
        while True:
            text = await self.connection.read_message()
            assert text is not None
            message: Plain = json.loads(text)
            if message.get("request") == 1:
                return message
