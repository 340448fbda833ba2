"""Where things are on the page, said once."""

import re

from playwright.async_api import Locator, Page, expect

BUSY = "Context switches and interrupts"
"""A panel whose numbers change with every tick."""


def panel(page: Page, title: str) -> Locator:
    return page.get_by_role("article", name=title, exact=True)


def sign(page: Page) -> Locator:
    return page.get_by_test_id("sign")


async def says(page: Page, state: str, within: float = 15_000) -> None:
    """Return when the sign says so; `within` is in milliseconds."""
    await expect(sign(page)).to_have_attribute("data-state", state, timeout=within)


async def values(page: Page, title: str) -> Locator:
    """The legend of a panel, brought into sight, where it is kept up to date."""
    await panel(page, title).scroll_into_view_if_needed()
    found = panel(page, title).get_by_role("list")
    await expect(found).to_have_text(re.compile(r"\d"))
    return found


async def moves(text: Locator) -> None:
    """Return when a text has changed."""
    await expect(text).not_to_have_text(await text.inner_text(), use_inner_text=True)
