"""/api/viewers with real sockets: who watches, and one that is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.stream.audience import Audience
from tests.stream.house import House, subscribe
from tests.surroundings import PATIENCE

from .conftest import Ask, Streaming


@pytest.fixture
def app(streaming: Streaming, audience: Audience) -> Application:
    return streaming(audience=audience)


@pytest.fixture
def viewer(
    io_loop: IOLoop, http_server: HTTPServer, base_url: str, audience: Audience
) -> Iterator[WebSocketClientConnection]:
    """One who watches, with a long name; gone at the end."""
    url = base_url.replace("http", "ws") + "/live"
    request = HTTPRequest(url, headers={"User-Agent": "<b>" + "x" * 200})
    client: WebSocketClientConnection = io_loop.run_sync(lambda: websocket_connect(request), timeout=PATIENCE)
    yield client
    client.close()
    io_loop.run_sync(audience.empty.wait, timeout=PATIENCE)


async def message(client: WebSocketClientConnection) -> dict[str, Any]:
    text = await client.read_message()
    assert isinstance(text, str), f"closed with {client.close_code}"
    decoded: dict[str, Any] = json.loads(text)
    return decoded


@pytest.mark.gen_test
async def test_everybody_is_told_as_objects(viewer: WebSocketClientConnection, ask: Ask) -> None:
    session = (await message(viewer))["session"]
    await viewer.write_message(subscribe(board="small"))
    await message(viewer)
    answer = await ask("/api/viewers")
    told = json.loads(answer.body)
    (row,) = told["viewers"]
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert (told["total"], row["session"], row["board"], row["state"]) == (1, session, "small", "live")
    assert (row["address"], row["agent"]) == ("127.0.0.1", "<b>" + "x" * 117)


@pytest.mark.gen_test
async def test_the_table_comes_over_the_live_stream(
    viewer: WebSocketClientConnection, house: House, audience: Audience
) -> None:
    session = (await message(viewer))["session"]
    await viewer.write_message(subscribe(request=0, table="viewers"))
    assert (await message(viewer))["rows"][0][0] == session
    audience.sweep()
    await audience.tick(house.store(11))
    table = await message(viewer)
    row = dict(zip(table["columns"], table["rows"][0], strict=True))
    assert (row["session"], row["state"], table["total"]) == (session, "live", 1)


@pytest.mark.gen_test
async def test_one_that_is_cut_learns_why(
    viewer: WebSocketClientConnection, ask: Ask, audience: Audience
) -> None:
    session = (await message(viewer))["session"]
    answer = await ask(f"/api/viewers/{session}", method="DELETE")
    assert (answer.code, answer.body) == (204, b"")
    assert await viewer.read_message() is None
    assert (viewer.close_code, viewer.close_reason) == (4403, "cut by an operator")
    await audience.empty.wait()


@pytest.mark.gen_test
async def test_one_that_is_not_there_is_not_found(ask: Ask) -> None:
    answer = await ask("/api/viewers/nobody", method="DELETE")
    assert (answer.code, json.loads(answer.body)["error"]["code"]) == (404, "unknown_viewer")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Host": "evil.example"},
    ],
)
@pytest.mark.gen_test
async def test_a_page_of_elsewhere_cuts_nobody(
    viewer: WebSocketClientConnection,
    http_client: AsyncHTTPClient,
    base_url: str,
    audience: Audience,
    headers: dict[str, str],
) -> None:
    session = (await message(viewer))["session"]
    request = HTTPRequest(f"{base_url}/api/viewers/{session}", method="DELETE", headers=headers)
    answer = await http_client.fetch(request, raise_error=False)
    assert answer.code in {403, 421}
    assert len(audience) == 1


@pytest.mark.gen_test
async def test_only_delete_cuts(ask: Ask) -> None:
    answer = await ask("/api/viewers/x")
    assert (answer.code, answer.headers["Allow"]) == (405, "DELETE")
