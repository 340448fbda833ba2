"""Two pages see each other; one cuts the other, which says why and stays away until it is told to return."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.conftest import Browse
from tests.e2e.sight import says
from tests.e2e.wire import tap
from tests.service import Service

EVIL = "<img/src=x/onerror=alert(1)>"


def viewers(page: Page) -> Locator:
    return page.get_by_role("region", name="Viewers")


@pytest.mark.gen_test(timeout=60)
async def test_one_page_cuts_the_other(window: Browse, browse: Browse, service: Service) -> None:
    first = await window(service.url)
    wire = tap(first)
    await first.goto(service.url)
    second = await browse(service.url, user_agent=EVIL)
    for page in (first, second):
        await says(page, "live")
    assert not wire.of("table")
    await first.keyboard.press("v")
    rows = viewers(first).get_by_role("row")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(1)).to_contain_text("this page")
    await expect(rows.nth(2)).to_contain_text(re.compile(rf"127\.0\.0\.1.*{re.escape(EVIL)}.*overview"))
    await rows.nth(2).get_by_role("button", name=f"Cut 127.0.0.1, {EVIL}").focus()
    await first.keyboard.press("Enter")
    await expect(first.get_by_role("button", name="Keep")).to_be_focused()
    await first.keyboard.press("Tab")
    await first.keyboard.press("Enter")
    await says(second, "ended")
    await expect(second.get_by_test_id("problem")).to_contain_text("an operator cut this connection")
    await expect(rows).to_have_count(2)
    await expect(viewers(first).get_by_role("status")).to_have_text(f"127.0.0.1, {EVIL} was cut.")
    await wire.more("table", 2)
    assert await rows.count() == 2
    await second.get_by_role("button", name="Connect again").click()
    await says(second, "live")
    await expect(rows).to_have_count(3)
    wire.assert_whole()


@pytest.mark.gen_test(timeout=60)
async def test_nothing_is_sent_while_nobody_looks(window: Browse, service: Service) -> None:
    page = await window(service.url)
    wire = tap(page)
    await page.goto(service.url)
    await says(page, "live")
    await page.keyboard.press("v")
    await wire.more("table", 2)
    await page.evaluate("scrollTo(0, 0)")
    await expect(viewers(page)).not_to_be_in_viewport()
    await wire.more("tick", 2)
    sent = len(wire.of("table"))
    await wire.more("tick", 2)
    assert len(wire.of("table")) == sent


@pytest.mark.gen_test(timeout=60)
async def test_the_table_fits_a_phone(browse: Browse, service: Service) -> None:
    page = await browse(service.url, viewport={"width": 390, "height": 844})
    await says(page, "live")
    await viewers(page).get_by_role("button", name="Viewers").click()
    await expect(viewers(page).get_by_role("row")).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
