"""A headless Firefox, spoken to in WebDriver BiDi (w3c.github.io/webdriver-bidi) over a plain WebSocket."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

LISTENS = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
QUIET = """
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("browser.safebrowsing.update.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
"""
"""Preferences that keep it off the network."""


def path() -> str | None:
    """Where Firefox is, if it is here."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """`await firefox.open(url)`, then `await firefox.evaluate("document.title")`."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection
        self.complaints: list[str] = []
        """What the page said on the console as a warning or worse, or threw."""
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._listening = asyncio.create_task(self._listen())
        self.context = ""

    async def open(self, url: str) -> None:
        """Begin, and load a page."""
        await self.send("session.new", capabilities={})
        await self.send("session.subscribe", events=["log.entryAdded"])
        tree = await self.send("browsingContext.getTree")
        self.context = tree["contexts"][0]["context"]
        await self.send("browsingContext.navigate", context=self.context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression that gives a string, or a promise of one."""
        target = {"context": self.context}
        answer = await self.send("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    async def send(self, method: str, **parameters: Any) -> Any:
        """Send one command; its result."""
        number = len(self._answers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self.connection.write_message(
            json.dumps({"id": number, "method": method, "params": parameters})
        )
        return await answer

    async def close(self) -> None:
        self._listening.cancel()
        self.connection.close()

    async def _listen(self) -> None:
        while (text := await self.connection.read_message()) is not None:
            message = json.loads(text)
            if message["type"] == "success":
                self._answers[message["id"]].set_result(message["result"])
            elif message["type"] == "error":
                self._answers[message["id"]].set_exception(AssertionError(message))
            elif message["params"]["level"] in ("warn", "error"):
                self.complaints.append(f"{message['params']['level']}: {message['params']['text']}")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Firefox]:
    """A fresh Firefox whose profile is in the folder."""
    program = path()
    assert program
    profile = folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(QUIET)
    process = await asyncio.create_subprocess_exec(
        *(program, "--headless", "--no-remote", "--profile", str(profile)),
        *("--remote-debugging-port", "0"),
        env={**os.environ, "HOME": str(folder)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    try:
        lines = [line async for line in until(process.stderr)]
        found = LISTENS.search(lines[-1])
        assert found, lines
        firefox = Firefox(await websocket_connect(f"{found[1].decode()}/session"))
        yield firefox
        await firefox.close()
    finally:
        process.terminate()
        await process.communicate()


async def until(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines up to the one that says where Firefox listens, or all of them."""
    async for line in stream:
        yield line
        if LISTENS.search(line):
            return
