"""The whole service: whoever came by a log-in or a token goes with it, in whichever process that is."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.access import Role, User, tokens
from monitor.access.access import link_code
from monitor.app import Service, StartError
from monitor.config import load

ROOT = Path(__file__).resolve().parent.parent
ALICE = User("alice", "hash of alice", Role.VIEWER)
Headers = dict[str, str]


def service(folder: Path, **flags: str) -> Service:
    settings = {"server.listen": "127.0.0.1:0", "storage.path": str(folder), "collect.interval": "100ms"}
    settings["server.websocket.sweep_interval"] = "100ms"
    return Service(load(None, {}, settings | flags).settings)


def origin(url: str) -> Headers:
    return {"Origin": url.rstrip("/")}


def cookie(made: Service, secret: str) -> Headers:
    return {"Cookie": f"{made.access.cookie}={secret}"}


async def watch(url: str, headers: Headers) -> WebSocketClientConnection:
    """A viewer who has been greeted."""
    address = url.replace("http", "ws") + "live"
    client = await websocket_connect(HTTPRequest(address, headers=origin(url) | headers))
    assert json.loads(await client.read_message() or "{}")["type"] == "welcome"
    return client


async def ended(client: WebSocketClientConnection) -> tuple[int | None, str | None]:
    while await client.read_message() is not None:
        pass
    client.close()
    return client.close_code, client.close_reason


async def until(true: Callable[[], Any], made: Service) -> None:
    while not true():
        await made.scraped.wait()
        await asyncio.sleep(0)


def ready(made: Service) -> int:
    return sum(each.ready for each in made.workers.running.values())


def by_link(made: Service) -> str:
    """A session of somebody who opened a link."""
    return made.access.enter(link_code(made.access.folder, time.time())) or ""


def log_out(made: Service, secret: str) -> None:
    made.access.end(secret)


def change_password(made: Service, _secret: str) -> None:
    made.access.change([User("alice", "another hash", Role.VIEWER)], None)


def change_role(made: Service, _secret: str) -> None:
    made.access.change([User("alice", "hash of alice", Role.OPERATOR)], None)


def remove(made: Service, _secret: str) -> None:
    made.access.change([], None)


@pytest.mark.parametrize("end", [log_out, change_password, change_role, remove])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.gen_test
async def test_a_session_that_ends_takes_its_pages_along(
    tmp_path: Path, workers: str, end: Callable[[Service, str], None]
) -> None:
    made = service(tmp_path, **{"server.workers": workers})
    async with made.running() as url:
        made.access.change([ALICE], None)
        await until(lambda: ready(made) == int(workers) - 1, made)
        secret, link = made.access.begin(ALICE), by_link(made)
        pages = [await watch(url, cookie(made, secret)) for _ in range(4)]
        other = await watch(url, cookie(made, link))
        if workers == "2":
            assert made.workers.load
        end(made, secret)
        assert {await ended(page) for page in pages} == {(4401, "the credentials have ended")}
        with pytest.raises(HTTPClientError, match="401"):
            await watch(url, cookie(made, secret))
        await other.write_message('{"type": "subscribe", "request": 1, "queries": ["up"]}')
        assert await other.read_message()
    assert (await ended(other))[0] == 1012


@pytest.mark.gen_test
async def test_a_token_opens_the_live_stream_until_it_is_revoked(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with made.running() as url:
        token = tokens.create(made.access.folder, "tool", Role.VIEWER, (), int(time.time()), None)
        await until(lambda: made.access.bearer(token), made)
        address = url.replace("http", "ws") + "live"
        shown = {"Authorization": f"Bearer {token}"}
        client = await websocket_connect(HTTPRequest(address, headers=shown))
        await client.read_message()
        tokens.revoke(made.access.folder, "tool")
        assert (await ended(client))[0] == 4401


@pytest.mark.gen_test
async def test_what_everybody_may_is_taken_back_from_everybody(tmp_path: Path) -> None:
    made = service(tmp_path, **{"access.anonymous": "viewer"})
    async with made.running() as url:
        client = await watch(url, {})
        await client.write_message('{"type": "subscribe", "request": 1, "table": "viewers"}')
        said = json.loads(await client.read_message() or "{}")
        while said["type"] == "beat":
            said = json.loads(await client.read_message() or "{}")
        assert (said["type"], said["code"]) == ("error", "not_permitted")
        made.access.change([], None)
        assert (await ended(client))[0] == 4401


@pytest.mark.gen_test
async def test_a_cookie_alone_opens_no_socket(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with made.running() as url:
        shown = cookie(made, by_link(made))
        address = url.replace("http", "ws") + "live"
        for place in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            with pytest.raises(HTTPClientError, match="403"):
                await websocket_connect(HTTPRequest(address, headers=shown | place))
        assert not len(made.audience)


@pytest.mark.gen_test
async def test_a_page_that_stays_open_keeps_its_session(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with made.running() as url:
        made.access.change([ALICE], None)
        secret = made.access.begin(ALICE)
        client = await watch(url, cookie(made, secret))
        ((key, held),) = made.access.sessions._held.items()
        held.seen -= 11 * 3600
        await until(lambda: time.monotonic() - held.seen < 3600, made)
        assert made.access.sessions._held == {key: held}
        client.close()
        await ended(client)


@pytest.mark.gen_test
async def test_nobody_is_told_anything_on_an_address_of_a_closed_service(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with made.running() as url:
        for path in (
            "",
            "api/boards",
            "api/v1/query?query=up",
            "api/viewers",
            "metrics",
            "live",
            "anything/api",
        ):
            answer = await AsyncHTTPClient().fetch(url + path, raise_error=False)
            assert answer.code in {401, 404}, path
            assert made.instance not in answer.body.decode()


def test_secrets_that_others_can_read_stop_the_start(tmp_path: Path) -> None:
    made = service(tmp_path)
    made.access.open()
    (tmp_path / "access" / "key").chmod(0o644)
    with pytest.raises(StartError, match="can be read by others: run chmod 600 on it"):
        made.prepare()


def test_the_attacks_of_the_document_are_tests() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "access.md").read_text(encoding="utf-8")))
    every = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 20
    assert not {name for name in named if f"def {name}(" not in every}
