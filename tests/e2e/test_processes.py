"""What runs, in a real browser: sorted and filtered by keys, at a moment of the past, and on a phone."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests import node
from tests.e2e.conftest import Browse
from tests.e2e.sight import says
from tests.e2e.wire import tap
from tests.service import Service, running

EVIL = "<b>&\u202ex"
"""Becomes the name of a process, as far as 15 bytes go."""
NAMED = "import sys; open('/proc/self/comm', 'w').write(sys.argv[1]); input()"


def processes(page: Page) -> Locator:
    return page.get_by_role("region", name="Processes")


@pytest.mark.gen_test(timeout=60)
async def test_processes_are_found_sorted_and_filtered_by_keys(window: Browse, service: Service) -> None:
    command = [sys.executable, "-c", NAMED, EVIL]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as evil:  # noqa: ASYNC220  (it only waits)
        page = await window(service.url)
        wire = tap(page)
        await page.goto(service.url)
        await says(page, "live")
        assert not wire.of("table")
        await page.keyboard.press("p")
        rows = processes(page).get_by_role("row")
        await expect(rows.nth(1)).to_be_visible()
        header = processes(page).get_by_role("columnheader", name="Memory")
        await header.get_by_role("button").focus()
        await page.keyboard.press("Enter")
        await expect(header).to_have_attribute("aria-sort", "descending")
        await processes(page).get_by_role("searchbox").fill(str(evil.pid))
        await expect(rows).to_have_count(2)
        await expect(rows.nth(1)).to_contain_text(r"<b>&\u202ex")
        await expect(rows.nth(1)).to_contain_text("-c import sys")
        (sorted_by,) = {table["view"]["sort"] for table in wire.of("table")[-1:]}
        assert sorted_by == "memory"
        await page.keyboard.press("Escape")
        await page.evaluate("scrollTo(0, 0)")
        evil.communicate(b"\n")
    wire.assert_whole()


@pytest.mark.gen_test(timeout=90)
async def test_the_table_of_a_past_moment_and_on_a_phone(
    window: Browse, browse: Browse, tmp_path: Path
) -> None:
    node.built_page()
    with running(tmp_path, COLLECT__COLLECTORS__PROCESS_GROUPS__HISTORY="5s") as service:
        page = await window(service.url, color_scheme="dark")
        wire = tap(page)
        await page.goto(service.url)
        await says(page, "live")
        await processes(page).get_by_role("button", name="Processes").click()
        panel = processes(page)
        await expect(panel.get_by_role("row").nth(3)).to_be_visible()
        await panel.get_by_role("button", name="10 seconds before").click()
        await expect(panel.get_by_text("Nothing was kept of that moment.")).to_be_visible()
        kept = panel.get_by_text("Those at the top")
        while not await kept.count():
            await wire.more("tick", 1)
            await panel.get_by_role("button", name="Now").click()
            await panel.get_by_role("button", name="10 seconds before").click()
            await panel.get_by_role("button", name="10 seconds after").click()
            await expect(kept.or_(panel.get_by_text("Nothing was kept of that moment."))).to_be_visible()
        await expect(panel.get_by_text("Those at the top by CPU, memory and bytes")).to_be_visible()
        assert await panel.get_by_role("row").count() > 3
        phone = await browse(service.url, viewport={"width": 390, "height": 844}, color_scheme="light")
        await processes(phone).get_by_role("button", name="Processes").click()
        await expect(processes(phone).get_by_role("row").nth(3)).to_be_visible()
        assert await phone.evaluate("document.documentElement.scrollWidth") <= 390
