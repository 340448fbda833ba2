"""When the service goes, stalls, or comes back, the page says so, and loses nothing that was kept."""

import re
import signal

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import Browse
from tests.e2e.sight import BUSY, moves, says, values
from tests.e2e.wire import Wire
from tests.service import Service


def forgive_lost_connections(complaints: list[str]) -> None:
    """Chromium reports each refused connection on the console, which nothing can prevent."""
    lost = re.compile(
        r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|closed before the connection is established"
    )
    complaints[:] = [text for text in complaints if not lost.search(text)]


async def greys_out(page: Page) -> None:
    await expect(page.get_by_test_id("board")).to_have_class(re.compile(r"\bstale\b"))


async def has_colour(page: Page) -> None:
    await expect(page.get_by_test_id("board")).not_to_have_class(re.compile(r"\bstale\b"))


@pytest.mark.gen_test(timeout=90)
async def test_a_service_that_stops_is_missed_and_found_again(
    browse: Browse, own_service: Service, complaints: list[str]
) -> None:
    page = await browse(own_service.url)
    await says(page, "live")
    await page.evaluate("window.sameDocument = true")
    own_service.stop()
    await says(page, "reconnecting")
    await greys_out(page)
    own_service.start()
    await says(page, "live", within=40_000)
    await has_colour(page)
    await moves(await values(page, BUSY))
    assert await page.evaluate("window.sameDocument"), "nobody has to load it anew"
    forgive_lost_connections(complaints)


@pytest.mark.gen_test(timeout=90)
async def test_a_service_that_stalls_is_never_called_live(
    browse: Browse, own_service: Service, complaints: list[str]
) -> None:
    page = await browse(own_service.url)
    await says(page, "live")
    own_service.send(signal.SIGSTOP)
    await expect(page.get_by_test_id("sign")).to_have_attribute(
        "data-state", re.compile("stale|reconnecting"), timeout=10_000
    )
    await greys_out(page)
    own_service.send(signal.SIGCONT)
    await says(page, "live", within=40_000)
    await has_colour(page)
    forgive_lost_connections(complaints)


class Cable:
    """The way to the service: it can be cut, and stays cut for a number of tries."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.refuse = 0
        self.ends: list[WebSocketRoute] = []

    async def connect(self, end: WebSocketRoute) -> None:
        if self.refuse:
            self.refuse -= 1
            await end.close()
            return
        self.ends.append(end)
        service = end.connect_to_server()

        def deliver(message: str | bytes) -> None:
            self.wire.received(message)
            end.send(message)

        service.on_message(deliver)

    async def cut(self, tries: int) -> None:
        self.refuse = tries
        await self.ends.pop().close()


@pytest.mark.gen_test(timeout=90)
async def test_a_connection_that_is_cut_resumes_without_losing_a_column(
    window: Browse, service: Service
) -> None:
    page = await window(service.url)
    cable = Cable(Wire())
    await page.route_web_socket("**/live", cable.connect)
    await page.goto(service.url)
    await says(page, "live")
    for _ in range(2):
        await cable.wire.more("tick")
        await cable.cut(tries=1)
        await cable.wire.more("subscribed")
        await says(page, "live")
    await cable.wire.more("tick")
    cable.wire.assert_whole()
