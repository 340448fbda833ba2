"""The page behind something that knows nothing of WebSocket: live all the same, and it says so."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Browse
from tests.e2e.sight import says
from tests.e2e.wire import Wire
from tests.service import Service

TOLD = "over HTTP: a proxy on the way does not let WebSocket through"


class Plain:
    """A proxy of HTTP/1.1, of one request a connection, that passes no Upgrade on."""

    def __init__(self, service: str) -> None:
        self.service = urlsplit(service)
        self.ends: list[asyncio.StreamWriter] = []
        self.streams: list[asyncio.StreamWriter] = []
        """Those ends that `/events` was asked on."""
        self.work: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        try:
            yield f"http://{host}:{port}/"
        finally:
            server.close()
            cut(self.ends)
            await asyncio.gather(*self.work)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.work.append(asyncio.create_task(self._pass(reader, writer)))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ends.append(writer)
        with suppress(OSError, EOFError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if head.startswith("GET /events "):
                self.streams.append(writer)
            first, *headers = head.split("\r\n")
            kept = [line for line in headers if not re.match("upgrade:|connection:", line, re.IGNORECASE)]
            ahead, onward = await asyncio.open_connection(self.service.hostname, self.service.port)
            self.ends.append(onward)
            onward.write("\r\n".join([first, "Connection: close", *kept]).encode())
            await asyncio.gather(flow(reader, onward), flow(ahead, writer))


def cut(ends: list[asyncio.StreamWriter]) -> None:
    while ends:
        ends.pop().transport.abort()


async def flow(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    """One way, until either end is closed."""
    with suppress(OSError):
        while data := await source.read(1 << 14):
            to.write(data)
            await to.drain()
    to.close()


async def tap(page: Page) -> Wire:
    """Listen to the events that a page receives from now on."""
    wire = Wire()
    session = await page.context.new_cdp_session(page)

    def heard(event: dict[str, Any]) -> None:
        if event["eventName"] == "message":
            wire.received(event["data"])

    session.on("Network.eventSourceMessageReceived", heard)
    await session.send("Network.enable")
    return wire


@pytest.mark.gen_test(timeout=60)
async def test_where_no_upgrade_gets_through_the_page_is_live_over_http_and_loses_nothing(
    window: Browse, service: Service, complaints: list[str]
) -> None:
    proxy = Plain(service.url)
    async with proxy.running() as url:
        page = await window(url)
        wire = await tap(page)
        await page.goto(url)
        await says(page, "live")
        await expect(page.get_by_test_id("way")).to_have_text(TOLD)
        for _ in range(2):
            await wire.more("tick", 2)
            cut(proxy.streams)
            await wire.more("subscribed")
            await says(page, "live")
        await wire.more("tick")
        wire.assert_whole()
        assert len(wire.of("welcome")) == 3
        await page.close()
    # What the browser says of each upgrade that fails and each stream that is cut, which nothing can prevent.
    lost = re.compile(
        r"WebSocket connection to .* failed|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET"
    )
    complaints[:] = [text for text in complaints if not lost.search(text)]


@pytest.mark.gen_test(timeout=60)
async def test_where_an_upgrade_gets_through_nothing_is_said(browse: Browse, service: Service) -> None:
    page = await browse(service.url)
    await says(page, "live")
    await expect(page.get_by_test_id("way")).to_have_count(0)
