"""A real Chromium before the real service: whatever the browser complains about fails the test."""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright
from tornado.ioloop import IOLoop

from tests import node
from tests.service import Service, running

# The first line is for root and for machines without a display; the rest keeps Chromium off the network.
SWITCHES = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
    *("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]

Browse = Callable[..., Awaitable[Page]]
"""Takes an address and options of Playwright's new_context."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One running service for the tests of a file that leave it alone."""
    node.built_page()
    with running(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[Service]:
    """A running service that the test may stop and start."""
    node.built_page()
    with running(tmp_path) as started:
        yield started


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What pages said on the console as a warning or worse, threw, or asked of another origin.

    A test that provokes some takes them out.
    """
    heard: list[str] = []
    yield heard
    assert not heard


def listen(page: Page, url: str, complaints: list[str]) -> None:
    origins = (url, url.replace("http", "ws", 1), "data:", "blob:")

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.type}: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith(origins):
            complaints.append(f"asked another origin: {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"threw: {error}"))
    page.on("request", on_request)


@pytest.fixture
def chromium(io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A fresh Chromium."""
    # Playwright's own Node wants a library (libatomic) that a bare Debian lacks.
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node.node()))
    found = node.chromium()
    stack = AsyncExitStack()

    async def launch() -> Browser:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(
            executable_path=found.path, env={**os.environ, **found.environment}, args=SWITCHES
        )
        stack.push_async_callback(browser.close)
        return browser

    yield io_loop.run_sync(launch, timeout=60)
    io_loop.run_sync(stack.aclose, timeout=60)


@pytest.fixture
def window(chromium: Browser, complaints: list[str]) -> Browse:
    """`page = await window(url, **options)`: an empty window for the address, with options of new_context."""

    async def window(url: str, **options: Any) -> Page:
        size = {"width": 1440, "height": 900}
        context = await chromium.new_context(**{"locale": "en-GB", "viewport": size} | options)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        listen(page, url, complaints)
        return page

    return window


@pytest.fixture
def browse(window: Browse) -> Browse:
    """`page = await browse(url, **options)`: a window at the address."""

    async def browse(url: str, **options: Any) -> Page:
        page = await window(url, **options)
        await page.goto(url)
        return page

    return browse
