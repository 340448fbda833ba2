"""The page before the living service: what a person sees, and what they can do with it."""

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Browse
from tests.e2e.sight import BUSY, moves, panel, says, values
from tests.e2e.wire import tap
from tests.service import Service

SHOTS = Path(__file__).resolve().parents[2] / "test-results"


@pytest.mark.gen_test(timeout=60)
async def test_the_page_goes_live_and_its_numbers_move(browse: Browse, service: Service) -> None:
    page = await browse(service.url)
    await says(page, "live")
    await expect(page.get_by_test_id("age")).to_have_text(re.compile(r"^\d+\.\d s"))
    await expect(page.get_by_test_id("latency")).to_have_text(re.compile(r"\d+\s+ms"))
    await moves(await values(page, BUSY))


@pytest.mark.gen_test(timeout=60)
async def test_every_headline_and_every_panel_shows_something(browse: Browse, service: Service) -> None:
    page = await browse(service.url)
    await says(page, "live")
    for title in await page.get_by_role("article").evaluate_all("all => all.map(one => one.ariaLabel)"):
        await panel(page, title).scroll_into_view_if_needed()
        await expect(panel(page, title).locator("canvas, b").first).to_be_visible()
    for number in await page.get_by_test_id("headline").locator("b").all():
        await expect(number).to_have_text(re.compile(r"\d"))


@pytest.mark.gen_test(timeout=60)
async def test_a_page_is_full_of_the_past_at_once(browse: Browse, window: Browse, service: Service) -> None:
    first = await browse(service.url)
    await says(first, "live")
    await moves(await values(first, BUSY))
    second = await window(service.url)
    wire = tap(second)
    await second.goto(service.url)
    await says(second, "live")
    assert len(wire.of("subscribed")[0]["columns"]["t"]) > 1
    wire.assert_whole()


@pytest.mark.gen_test(timeout=60)
async def test_pause_holds_the_picture_and_misses_nothing(window: Browse, service: Service) -> None:
    page = await window(service.url)
    wire = tap(page)
    await page.goto(service.url)
    await says(page, "live")
    shown = await values(page, BUSY)
    await page.get_by_role("button", name="Pause").click()
    await says(page, "paused")
    held = await shown.inner_text()
    await wire.more("tick", 2)
    await expect(shown).to_have_text(held, use_inner_text=True)
    await page.get_by_role("button", name="Pause").click()
    await says(page, "live")
    await moves(shown)
    wire.assert_whole()


@pytest.mark.gen_test(timeout=60)
async def test_keys_do_what_the_sheet_says(browse: Browse, service: Service) -> None:
    page = await browse(service.url)
    await says(page, "live")
    await page.keyboard.press("Space")
    await says(page, "paused")
    await page.keyboard.press("Space")
    await says(page, "live")
    for key, minutes in (("1", 1), ("2", 5), ("3", 15)):
        await page.keyboard.press(key)
        pressed = page.get_by_role("button", name=f"{minutes} min", exact=True)
        await expect(pressed).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.gen_test(timeout=60)
async def test_a_focused_chart_is_read_with_the_arrow_keys(browse: Browse, service: Service) -> None:
    page = await browse(service.url)
    await says(page, "live")
    await moves(await values(page, BUSY))
    chart = panel(page, BUSY).get_by_role("slider")
    await chart.focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(chart).to_have_attribute(
        "aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d: .*context switches")
    )
    others = page.get_by_role("article").locator("time")
    assert await others.count() == await page.get_by_role("article").count()


@pytest.mark.gen_test(timeout=60)
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900), (1920, 1080)])
@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_it_fits_phones_and_wide_screens_dark_and_light(
    browse: Browse, service: Service, width: int, height: int, scheme: Literal["dark", "light"]
) -> None:
    page = await browse(service.url, viewport={"width": width, "height": height}, color_scheme=scheme)
    await says(page, "live")
    assert await page.evaluate("document.documentElement.dataset.theme") == scheme
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    brightness = await page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
    assert (int(brightness) < 128) is (scheme == "dark")
    await page.screenshot(path=SHOTS / f"{scheme}-{width}.png")


@pytest.mark.gen_test(timeout=60)
async def test_the_switch_turns_the_lights_on_and_is_remembered(browse: Browse, service: Service) -> None:
    page = await browse(service.url, color_scheme="dark")
    await says(page, "live")
    await page.keyboard.press("t")
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.gen_test(timeout=60)
async def test_all_that_a_page_loads_weighs_at_most_200_kilobytes(browse: Browse, service: Service) -> None:
    page = await browse(service.url)
    await says(page, "live")
    sizes = await page.evaluate(
        "performance.getEntries().filter(one => 'transferSize' in one).map(one => one.transferSize)"
    )
    assert len(sizes) > 2
    assert sum(sizes) <= 200_000
