"""The last minute, many times a second: kept on the page, and looked at as closely as it was measured."""

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests import node
from tests.e2e.conftest import Browse
from tests.e2e.sight import says
from tests.service import Service, running


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    node.built_page()
    with running(tmp_path_factory.mktemp("recording"), COLLECT__BURST__ENABLED="true") as started:
        yield started


def bursts(page: Page) -> Locator:
    return page.get_by_role("region", name="Bursts")


async def kept(page: Page, reason: str) -> Locator:
    """Keep the minute, and wait until it is drawn."""
    await page.keyboard.press("b")
    region = bursts(page)
    await region.get_by_role("textbox", name="Why it is kept").fill(reason)
    await page.keyboard.press("Enter")
    await expect(region.get_by_role("button", name=reason)).to_have_attribute("aria-pressed", "true")
    await expect(region.get_by_test_id("panel").filter(has=page.locator("canvas")).first).to_be_visible()
    return region


async def seconds(region: Locator) -> float:
    """How long the part is that is shown."""
    text = await region.get_by_test_id("part").inner_text()
    clocks = re.findall(r"(\d+):(\d+):([\d.]+)", text)
    first, last = (3600 * int(hours) + 60 * int(minutes) + float(rest) for hours, minutes, rest in clocks)
    return round((last - first) % 86400, 3)


@pytest.mark.gen_test(timeout=60)
async def test_a_minute_is_kept_and_looked_at_closely_by_keys(window: Browse, recording: Service) -> None:
    page = await window(recording.url)
    await page.goto(recording.url)
    await says(page, "live")
    await page.wait_for_timeout(5000)
    region = await kept(page, "<b>slow</b>")
    await expect(region).to_contain_text(re.compile(r"10 samples a second.*of a core"))
    await expect(region.get_by_role("article", name="CPU")).to_contain_text("user")
    whole = await seconds(region)
    await region.get_by_role("slider", name="CPU").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("+")
    near = await seconds(region)
    assert near == pytest.approx(max(whole / 2, 2), abs=0.051)
    await page.keyboard.press("[")
    assert await seconds(region) == near
    await page.keyboard.press("0")
    assert await seconds(region) == whole


@pytest.mark.gen_test(timeout=60)
async def test_a_part_is_drawn_over_with_the_pointer(window: Browse, recording: Service) -> None:
    page = await window(recording.url)
    await page.goto(recording.url)
    await says(page, "live")
    region = await kept(page, "drawn")
    whole = await seconds(region)
    over = region.get_by_role("slider", name="Pressure").locator(".u-over")
    await over.hover()  # Which waits until it stands still: its place counts.
    place = await over.bounding_box()
    assert place
    middle = place["y"] + place["height"] / 2
    await page.mouse.move(place["x"] + place["width"] / 4, middle)
    await page.mouse.down()
    await page.mouse.move(place["x"] + place["width"] / 2, middle, steps=4)
    await page.mouse.up()
    assert await seconds(region) == pytest.approx(min(max(whole / 4, 2), whole), abs=0.15)


@pytest.mark.gen_test(timeout=60)
async def test_it_fits_a_phone(browse: Browse, recording: Service) -> None:
    page = await browse(recording.url, viewport={"width": 390, "height": 844}, has_touch=True)
    await says(page, "live")
    region = await kept(
        page, "a phone, and a reason that is long enough to fill more than the line that there is"
    )
    await region.get_by_role("button", name="Nearer").tap()
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


@pytest.mark.gen_test(timeout=60)
async def test_a_service_that_records_nothing_says_so(window: Browse, service: Service) -> None:
    page = await window(service.url)
    await page.goto(service.url)
    await says(page, "live")
    await page.keyboard.press("b")
    await expect(bursts(page)).to_contain_text("collect.burst.enabled switches it on")
    await expect(bursts(page).get_by_role("textbox")).to_have_count(0)
