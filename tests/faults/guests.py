"""Viewers whose programs and users have hostile names, which operators see in the table of viewers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from http.cookies import SimpleCookie
from typing import NamedTuple

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.access.passwords import hashed
from monitor.config.access import LOCAL
from monitor.server.wire import AGENT
from tests.faults.names import quoted
from tests.faults.serving import HOST, Serving

PASSWORD = "correct horse"


class Guest(NamedTuple):
    agent: str
    user: str

    @property
    def sent(self) -> str:
        """The bytes of the agent in UTF-8, a character each, as Tornado writes and reads a header."""
        return self.agent.encode().decode("latin-1")

    @property
    def cells(self) -> tuple[str, str]:
        """What the table says of them."""
        return f"{self.user}, {HOST}", self.sent[:AGENT]


def invited(names: Sequence[str]) -> list[Guest]:
    """As many as there are names for both."""
    return [Guest(*pair) for pair in zip(filter(is_agent, names), filter(is_user, names), strict=False)]


def is_agent(name: str) -> bool:
    """Whether a header can hold it (RFC 9110 section 5.5), and a page has no shorter name for it."""
    return not any(ord(char) < 32 or ord(char) == 127 for char in name) and name.strip() == name != ""


def is_user(name: str) -> bool:
    """Whether somebody may be called so (monitor/config/access.py)."""
    return name.isprintable() and name.strip() == name != LOCAL and 1 <= len(name) <= 64


def users(guests: Sequence[Guest]) -> str:
    """The part of the configuration that lets them in."""
    hash_ = hashed(PASSWORD)
    lines = [f"    - {{name: {quoted(guest.user)}, password: '{hash_}'}}\n" for guest in guests]
    return "access:\n  users:\n" + "".join(lines)


@asynccontextmanager
async def watching(service: Serving, guests: Sequence[Guest]) -> AsyncIterator[None]:
    """Each has logged in, and is connected."""
    with ExitStack() as stack:
        for guest in guests:
            stack.callback((await connected(service, guest)).close)
        yield


async def connected(service: Serving, guest: Guest) -> WebSocketClientConnection:
    origin = service.url.rstrip("/")
    asked = json.dumps({"name": guest.user, "password": PASSWORD})
    headers = {"Content-Type": "application/json", "Origin": origin}
    answer = await AsyncHTTPClient().fetch(
        f"{service.url}api/session", method="POST", body=asked, headers=headers
    )
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    shown = {"Cookie": f"{cookie.key}={cookie.value}", "User-Agent": guest.sent, "Origin": origin}
    return await websocket_connect(HTTPRequest(f"{service.url}live".replace("http", "ws"), headers=shown))
