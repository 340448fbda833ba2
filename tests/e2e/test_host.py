"""What the host is, in a real browser: opened from its name or by a key, copied, and on a phone."""

import platform
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests import node
from tests.e2e.conftest import Browse
from tests.e2e.sight import says
from tests.service import Service, running

EVIL = "<img src=x onerror=alert(1)>\u202e Linux"


def sheet(page: Page) -> Locator:
    return page.get_by_role("dialog", name="This host")


@pytest.mark.gen_test(timeout=60)
async def test_the_host_s_name_opens_what_it_is_and_its_values_are_copied(
    window: Browse, service: Service
) -> None:
    page = await window(service.url, permissions=["clipboard-read", "clipboard-write"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/host" in request.url else None)
    await page.goto(service.url)
    await says(page, "live")
    assert not asked
    await page.get_by_role("heading", level=1).get_by_role("button").click()
    await expect(sheet(page)).to_contain_text(platform.release())
    await expect(sheet(page)).to_contain_text("UTC+")
    await sheet(page).get_by_role("button", name=f"Copy {platform.release()}").click()
    await expect(sheet(page).get_by_role("status")).to_have_text("Copied.")
    kernel = f"{platform.release()}, {platform.machine()}"
    assert await page.evaluate("navigator.clipboard.readText()") == kernel
    await sheet(page).get_by_role("button", name="Copy all").click()
    await expect(sheet(page).get_by_role("status")).to_have_text("Copied.")
    assert f"  Kernel: {kernel}\n" in await page.evaluate("navigator.clipboard.readText()")
    assert len(asked) == 1
    await page.keyboard.press("Escape")
    await expect(sheet(page)).to_be_hidden()
    await page.keyboard.press("i")
    await expect(sheet(page)).to_be_visible()


@pytest.mark.gen_test(timeout=60)
async def test_a_system_with_a_hostile_name_is_shown_on_a_phone(browse: Browse, tmp_path: Path) -> None:
    node.built_page()
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text(f"PRETTY_NAME='{EVIL} {'long ' * 40}'\n")
    with running(tmp_path, COLLECT__ROOTFS=str(root), COLLECT__INSTANCE="w" * 80) as service:
        page = await browse(service.url, viewport={"width": 390, "height": 844}, has_touch=True)
        await says(page, "live")
        await page.get_by_role("heading", level=1).get_by_role("button").tap()
        await expect(sheet(page)).to_contain_text(EVIL.replace("\u202e", "\\u202e"))
        assert await page.locator("img[src=x]").count() == 0
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert await sheet(page).evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
        await sheet(page).get_by_role("button", name="Close").tap()
        await expect(sheet(page)).to_be_hidden()
